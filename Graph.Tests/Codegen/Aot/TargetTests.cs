using System.Collections.Concurrent;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Every case of every op for other machines: what the objects need, and what they compute.</summary>
/// <remarks><c>GRAPHENE_TARGETS=x86-64-v3,wasm32-simd</c> tries those instead of the usual ones.</remarks>
internal sealed class TargetTests
{
    // Whoever links the objects without a C library defines these.
    private static readonly string[] Provided = ["memcpy", "memset", "memmove"];

    private static readonly Lazy<OpCaseModule> Cases = new(OpCaseModule.OfAll);

    private readonly ConcurrentDictionary<LlvmTarget, Executable> _compiled = new();

    // x86-64 is what other tests compile for, the plainest one too.
    private static readonly string[] Machines = Environment.GetEnvironmentVariable("GRAPHENE_TARGETS") is { Length: > 0 } names
        ? names.Split(',')
        : ["aarch64", "riscv64", "riscv64-v", "armv7", "wasm32"];

    private static readonly string[] Runnable = [.. Machines.Where(m => !m.StartsWith("wasm", StringComparison.Ordinal))];

    [TestCaseSource(nameof(Machines))]
    public void ObjectsNeedNoLibrary(string name)
    {
        LlvmTarget target = AotTarget.Parse(name).Variants[0].Machine;
        Executable executable = Compile(target);
        ObjectFile[] objects = [.. executable.Objects.Select(o => ObjectFile.Read(o.Bytes.Span))];
        string[] missing =
        [
            .. objects.SelectMany(o => o.Undefined).Except(objects.SelectMany(o => o.Defined)).Except(Provided)
                .Where(s => !s.StartsWith("__", StringComparison.Ordinal) || target.Architecture != LlvmArchitecture.Wasm32)
                .Where(s => target.Architecture != LlvmArchitecture.Arm32 || ArmRuntime.For([s]).Symbols.Count == 0),
        ];

        Assert.That(missing, Is.Empty);
        Assert.That(objects.Select(o => o.Machine), Is.All.EqualTo(target.Architecture switch
        {
            LlvmArchitecture.X64 => ObjectFile.X64,
            LlvmArchitecture.Arm64 => ObjectFile.Arm64,
            LlvmArchitecture.RiscV64 => ObjectFile.RiscV,
            LlvmArchitecture.Arm32 => ObjectFile.Arm32,
            _ => 0,
        }));
    }

    [TestCaseSource(nameof(Runnable))]
    public void MachineCodeGivesTheReference(string name)
    {
        LlvmTarget target = AotTarget.Parse(name).Variants[0].Machine;
        _ = ForeignMachine.Require(target); // skips before the work
        // QEMU 7.2 fails an assertion of its own at vector conversions that round towards zero (decode_save_opc).
        bool isSpared = target.Architecture == LlvmArchitecture.RiscV64 && target.HasFeature("v");
        OpCaseModule cases = isSpared ? OpCaseModule.OfAllBut("convert") : Cases.Value;
        using Executable? own = isSpared ? GraphCompiler.For(target).Compile(cases.Module, NullLogger.Instance, default) : null;
        using var program = new ForeignProgram(own ?? Compile(target), target);

        cases.AssertReference(program.Run(cases.Inputs), hasFma: target.HasFma);
    }

    [TestCase("aarch64")]
    [TestCase("riscv64")]
    [TestCase("riscv64-v")]
    [TestCase("armv7-neon")]
    public void FunctionsByTablesHaveTheSameBitsWhereverTheTablesAre(string name)
    {
        LlvmTarget target = AotTarget.Parse(name).Variants[0].Machine;
        _ = ForeignMachine.Require(target);
        if (!LlvmTarget.Host().HasFma)
        {
            Assert.Ignore("without fused multiply-add this machine has bits of its own");
        }
        var type = new TensorType(DType.F32, [4099]);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, type);
            return [b.HyperbolicTangent(x), b.ErrorFunction(x)];
        });
        var random = new Random(8);
        float[] numbers = [.. Enumerable.Range(0, 4096).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(2, i % 9 - 3))];
        Literal[] inputs = [Literal.From<float>([.. numbers, float.PositiveInfinity, float.NegativeInfinity, -0f], 4099)];
        using Executable executable = GraphCompiler.For(target).Compile(module, NullLogger.Instance, default);
        using var program = new ForeignProgram(executable, target);
        Assert.That(program.Run(inputs), Is.EqualTo(CompiledModule.Run(module, inputs)));
    }

    [OneTimeTearDown]
    public void DisposeCompiled()
    {
        foreach (Executable executable in _compiled.Values)
        {
            executable.Dispose();
        }
    }

    private Executable Compile(LlvmTarget target) => _compiled.GetOrAdd(
        target, t => GraphCompiler.For(t).Compile(Cases.Value.Module, NullLogger.Instance, default));
}
