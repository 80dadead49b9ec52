using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using Graphene.Runtime;
using Graphene.Tests.Runtime.Gpu;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Updates of many parameters are one start of one kernel, whose blocks find out which parameter is theirs.</summary>
internal sealed class LoopsMembersTests
{
    private static readonly TensorType Rate = new(DType.F32, Shape.Scalar);

    [TestCase(85, 1)]
    [TestCase(100, 2)]
    [TestCase(3, 1)]
    [TestCase(2, 1)]
    [TestCase(300, 4)] // 4 KiB of parameters hold 85 members of 4 pointers, a size and a first block
    public void UpdatesAreAFewStarts(int parameters, int starts)
    {
        Module module = Updates(parameters);
        using var gpu = new GpuTestSession();
        using Session session = gpu.Open(module);
        IEnumerable<Feed> others = module.Entry.ParameterTypes.Skip(1).Select(
            (t, i) => Feed.Of(LoopsGraph.Values(DType.F32, i, t.Shape.ToStatic())));
        Feed[] feeds = [Feed.Scalar(0.5f), .. others];
        Dictionary<string, Feed> fed = module.InputNames.Zip(feeds).ToDictionary(p => p.First, p => p.Second);

        Literal[] actual = session.Run(module.OutputNames, fed);

        Assert.That(gpu.Device.Launches, Is.EqualTo(starts));
        using var reference = new Session(module, new ReferenceCompiler());
        Literal[] expected = reference.Run(module.OutputNames, fed);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"parameter {i}");
        }
    }

    [Test]
    public void SizesThatAreFedAreSummedForEachRun()
    {
        Dim rows = Dim.Symbol("rows", 0, 4096);
        Module module = CompiledModule.Build(b => [.. Enumerable.Range(0, 5).Select(i =>
            b.Negate(b.Parameter(i, new TensorType(DType.F32, i == 2 ? Shape.Of(17) : [rows, 10 + i]))))]);
        using var gpu = new GpuTestSession();
        using Session session = gpu.Open(module);
        foreach (long n in (long[])[3, 0, 400, 1])
        {
            Feed Fed(int i) => Feed.Of(
                i == 2 ? LoopsGraph.Values(DType.F32, i, 17) : LoopsGraph.Values(DType.F32, i, n, 10 + i));
            Dictionary<string, Feed> fed = module.InputNames.Select((name, i) => (name, Fed(i)))
                .ToDictionary(p => p.name, p => p.Item2);
            using var reference = new Session(module, new ReferenceCompiler());
            Literal[] expected = reference.Run(module.OutputNames, fed);
            Literal[] actual = session.Run(module.OutputNames, fed);
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreEqual(actual[i], expected[i], $"{n} rows, result {i}");
            }
        }
    }

    [Test]
    public void TheTextOfAKernelSaysHowManyCallsAStartDoes()
    {
        Kernel kernel = Negation(50);
        string text = KernelPrinter.Print(kernel);
        Assert.That(text, Does.Contain(" members 50\n"));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
    }

    [Test]
    public void SeveralCallsNeedThreads() => Assert.That(
        () => KernelVerifier.Verify(Negation(2) with { Threads = null }), Throws.TypeOf<CompilerBugException>());

    [TestCase(2)]
    [TestCase(50)]
    [TestCase(64)]
    public void PtxFindsTheCallInATableOfParameters(int members)
    {
        using var compiler = new PtxCompiler(PtxTarget.Parse("sm_80"), threads: 1);
        PtxKernel kernel = compiler.Add(Negation(members));
        string text = compiler.Finish().Text;

        Assert.That(kernel.Members, Is.EqualTo(members));
        Assert.That(text, Does.Contain($".param .align 8 .b8 {kernel.Name}_param_0[{members * 4 * sizeof(long)}]"));
        Assert.That(text, Does.Contain("ld.param.u64"));
        Assert.That(text, Does.Contain("ld.global.nc"), "what nobody writes is read past the first cache's coherence");
        Assert.That(text, Does.Not.Contain(".local"), "the table is read where the driver puts it, and not copied to the stack");
    }

    [Test]
    public void PtxOfATableAssembles()
    {
        Ptxas.Require();
        foreach (string architecture in (string[])["sm_70", "sm_80", "sm_90a"])
        {
            using var compiler = new PtxCompiler(PtxTarget.Parse(architecture), threads: 1);
            compiler.Add(Negation(50));
            PtxasReport report = Ptxas.Assemble(compiler.Finish().Text, architecture).Single();
            Assert.That(report.SpilledBytes + report.StackBytes, Is.Zero, report.ToString());
        }
    }

    // y = -x of so many elements as are passed, a thread for each.
    private static Kernel Negation(int members)
    {
        Kernel kernel = KernelParser.Parse(
            """
            kernel "negation" flops=0 bytes=0
            symbol n in 1..1000000 size 0
            argument 0 x: f32 readonly
            argument 1 y: f32
            task b of divide(add(@n, 63), 64)
            threads t of 64
            {
              let i: i64 = add(multiply(b, 64), t)
              store(y, i, negate(load[1](x, i, less(i, @n))), less(i, @n))
            }
            """);
        return kernel with { Members = members };
    }

    // w - rate g, for as many parameters as a small model has, of many sizes.
    private static Module Updates(int parameters) => CompiledModule.Build(b =>
    {
        Node rate = b.Parameter(0, Rate);
        return [.. Enumerable.Range(0, parameters).Select(i =>
        {
            var type = new TensorType(DType.F32, i % 3 == 0 ? Shape.Of(5 + i) : Shape.Of(3 + (i % 7), 11 + i));
            Node w = b.Parameter(1 + (2 * i), type);
            Node g = b.Parameter(2 + (2 * i), type);
            return b.Subtract(w, b.Multiply(b.BroadcastInDim(rate, type.Shape, []), g));
        })];
    });
}
