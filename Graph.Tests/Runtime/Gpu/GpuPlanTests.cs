using System.Text;
using System.Text.RegularExpressions;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>Plans for GPUs as files: exact, verified, and not trusted.</summary>
internal sealed class GpuPlanTests
{
    // Ten thousand calls inside each other, compiled in haste: a kilobyte each was measured.
    private const int StackOfWriter = 256 << 20;

    [Test]
    public void APlanSurvivesItsFile()
    {
        ExecutablePlan plan = Compiled();
        ExecutablePlan read = PlanReader.Read(PlanWriter.Write(plan, Objects()), out _);
        Assert.That(PlanWriter.Write(read, Objects()), Is.EqualTo(PlanWriter.Write(plan, Objects())));
        Assert.That(read.Gpu!.Kernels.Select(k => k.Name), Is.EqualTo(plan.Gpu!.Kernels.Select(k => k.Name)));
        Assert.That(read.Gpu.Steps.OfType<GpuStep.Loop>().Single().Body, Is.Not.Empty);
        Assert.That(read.Gpu.Steps.OfType<GpuStep.HostCall>(), Is.Not.Empty);
    }

    [Test]
    public void TheSameGraphGivesTheSameBytes() =>
        Assert.That(PlanWriter.Write(Compiled(), Objects()), Is.EqualTo(PlanWriter.Write(Compiled(), Objects())));

    [Test]
    public void PlansWithRandomChangesAreRefusedOrReadButNeverCrash([Range(1, 10)] int seed)
    {
        byte[] plan = PlanWriter.Write(Compiled(), Objects());
        var random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] changed = [.. plan];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int at = random.Next(changed.Length);
                changed[at] = random.Next(3) switch { 0 => 0xFF, 1 => 0x7F, _ => (byte)random.Next(256) };
            }
            try
            {
                ExecutablePlan read = PlanReader.Read(changed, out string[] names);
                refused += PlanVerifier.Check(read, 1 << 20) is null && PlanVerifier.CheckObjects(read, names.Length) is null ? 0 : 1;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.That(refused, Is.GreaterThan(50));
    }

    [Test]
    public void NestingThatWouldOverflowTheStackIsRefused()
    {
        GpuStep step = new GpuStep.Branch(0, false, [new GpuBranch([])]);
        for (int i = 0; i < 10_000; i++)
        {
            step = new GpuStep.Branch(0, false, [new GpuBranch([step])]);
        }
        ExecutablePlan plan = Compiled();
        ExecutablePlan nested = plan with { Gpu = plan.Gpu! with { Steps = [step] } };
        Assert.That(PlanVerifier.Check(nested, 1 << 20), Does.Contain("nested more than"));
        byte[] bytes = [];
        var writer = new Thread(() => bytes = PlanWriter.Write(nested, Objects()), StackOfWriter); // which trusts what it writes
        writer.Start();
        writer.Join();
        Assert.That(Assert.Throws<InvalidDataException>(() => PlanReader.Read(bytes, out _))!.Message, Does.Contain("nested more than"));
    }

    [Test]
    public void PlansThatContradictThemselvesAreRefused()
    {
        ExecutablePlan plan = Compiled();
        GpuPlan gpu = plan.Gpu!;
        GpuStep.Launch launch = gpu.Steps.OfType<GpuStep.Launch>().First();
        int written = gpu.Kernels[launch.Kernel].Parameters.IndexOf(GpuParameter.Write);
        int parameter = plan.Buffers.Select((b, i) => (b, i)).First(x => x.b.Kind == BufferKind.Parameter).i;
        (GpuPlan? Gpu, string Problem)[] cases =
        [
            (null, "says nothing about one"),
            (gpu with { Form = (GpuCodeForm)9 }, "no form 9"),
            (gpu with { Kernels = [] }, "there is no kernel"),
            (gpu with { Kernels = [.. gpu.Kernels.Select(k => k with { Threads = 33 })] }, "33 threads"),
            (gpu with { Kernels = [.. gpu.Kernels.Select(k => k with { SharedBytes = 1 << 30 })] }, "bytes of shared memory"),
            (gpu with { Steps = [launch with { Arguments = [] }] }, "arguments, not 0"),
            (gpu with { Steps = [launch with { Arguments = [.. launch.Arguments.Select(_ => GpuArgument.Of(1 << 20))] }] },
                "cannot be buffer"),
            (gpu with { Steps = [launch with { Arguments = launch.Arguments.SetItem(written, GpuArgument.Of(parameter)) }] },
                $"argument {written}"),
            (gpu with { Steps = [launch with { Call = 1000 }] }, "no call 1000"),
            (gpu with { Steps = [new GpuStep.Copy(0, 1 << 20, 4)] }, "not there"),
            (gpu with { Steps = [new GpuStep.Copy(0, parameter, 4)] }, "only read"),
            (gpu with { Steps = [new GpuStep.Loop([], -1, [])] }, "a predicate lies in buffer -1"),
            (gpu with { Steps = [new GpuStep.Branch(0, true, [])] }, "nothing to choose from"),
            (gpu with { Steps = [new GpuStep.HostCall(77, [])] }, "no host call 77"),
            (gpu with { Steps = [new GpuStep.HostCall(0, [])] }, "values, not 0"),
        ];
        foreach ((GpuPlan? changed, string problem) in cases)
        {
            Assert.That(PlanVerifier.Check(plan with { Gpu = changed }, 1 << 20), Does.Contain(problem));
        }
        Assert.That(PlanVerifier.Check(plan with { TargetTriple = "x86_64-unknown-linux-elf" }, 1 << 20), Does.Contain("is for x86_64"));
        Assert.That(PlanVerifier.CheckObjects(plan, 0), Does.Contain("there are 0"));
    }

    // Between what PTX declares and what the runtime passes nobody else stands.
    [Test]
    public void PtxHasTheKernelsOfThePlan()
    {
        using Executable executable = GraphCompiler.For(new GpuTarget(90, true)).Compile(Module(), NullLogger.Instance, default);
        string ptx = Encoding.UTF8.GetString(executable.Objects.Single().Bytes.Span);
        Dictionary<string, Match> entries = Regex.Matches(ptx, @"\.entry (\w+)\(([^)]*)\)\s*\.reqntid (\d+)")
            .ToDictionary(m => m.Groups[1].Value);
        Assert.That(executable.Plan.CpuFeatures, Is.EqualTo("sm_90a"));
        Assert.That(ptx, Does.Contain(".target sm_90a"));
        Assert.That(entries.Keys, Is.EquivalentTo(executable.Plan.Gpu!.Kernels.Select(k => k.Name)));
        foreach (GpuKernel kernel in executable.Plan.Gpu.Kernels)
        {
            string[] parameters = entries[kernel.Name].Groups[2].Value.Split(',');
            Assert.That(parameters, Has.Length.EqualTo(kernel.Parameters.Length), kernel.Name);
            Assert.That(parameters, Is.All.Contain("64 "), $"{kernel.Name}: arguments are passed as 64 bits each");
            Assert.That(entries[kernel.Name].Groups[3].Value, Is.EqualTo($"{kernel.Threads}"), kernel.Name);
        }
    }

    [Test]
    public void TheCacheKnowsGpusApart()
    {
        GpuCompiler[] compilers =
        [
            GraphCompiler.For(new GpuTarget(80)), GraphCompiler.For(new GpuTarget(90)), GraphCompiler.For(new GpuTarget(90, true)),
            GraphCompiler.For(new GpuTarget(90, true) { AllowsTensorFloat32 = true }),
            GraphCompiler.For(new GpuTarget(90, true) { Multiprocessors = 78 }),
            GraphCompiler.Gpu(new InterpretedGpu()),
        ];
        Assert.That(compilers.Select(c => c.Fingerprint), Is.Unique);
    }

    [Test]
    public void CodeOfAnotherKindIsNotLoaded()
    {
        using var device = new InterpretedGpu();
        using var older = new InterpretedGpu(80);
        using Executable executable = GraphCompiler.Gpu(device).Compile(Module(), NullLogger.Instance, default);
        Assert.That(Assert.Throws<GraphException>(() => GpuProgram.Load(executable, older))!.Message, Does.Contain("this is sm_80"));
        Assert.That(Assert.Throws<GraphException>(() => NativeProgram.Load(executable))!.Id, Is.EqualTo(RuntimeDiagnostics.WrongProcessor));
    }

    private static ObjectCode[] Objects() => [new ObjectCode("kernels", new byte[] { 1 })];

    private static ExecutablePlan Compiled()
    {
        using Executable executable = GraphCompiler.Gpu(new InterpretedGpu()).Compile(Module(), NullLogger.Instance, default);
        return executable.Plan;
    }

    private static Module Module()
    {
        var graph = new Graph("plan");
        Tensor x = graph.Placeholder(DType.F32, ["n", 3], "x");
        Tensor[] looped = graph.While(
            [graph.Constant(0), x], p => p[0].Less(3),
            p => [p[0] + 1, graph.Cond(p[1].ReduceSum().Greater(0), () => p[1] * 2, () => p[1] + 1)]);
        Tensor y = looped[1].Print("y");
        return graph.ToModule([y, y.ReduceSum(1)]);
    }
}
