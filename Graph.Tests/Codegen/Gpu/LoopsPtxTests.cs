using System.Text.RegularExpressions;
using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>What the assembler gets of loops, rows and transposes at the sizes of models: wide accesses, and registers enough.</summary>
internal sealed class LoopsPtxTests
{
    private static readonly GpuTarget Hopper = new(90, true);

    private static TensorType Type(DType type, params long[] shape) => new(type, Shape.Of(shape));

    private static IEnumerable<TestCaseData> Graphs =>
    [
        Case("add of f32", 4, [Type(DType.F32, 4096, 4096), Type(DType.F32, 4096, 4096)], (b, p) => [b.Add(p[0], p[1])]),
        Case("gelu of bf16", 4, [Type(DType.BF16, 8192, 3072)], (b, p) => [b.Gelu(p[0])]),
        Case("bias of rows", 4, [Type(DType.F32, 8192, 768), Type(DType.F32, 768)],
            (b, p) => [b.Add(p[0], b.BroadcastInDim(p[1], p[0].Shape, [1]))]),
        Case("heads", 4, [Type(DType.F32, 8, 128, 12, 64)], (b, p) => [b.Negate(b.Transpose(p[0], [0, 2, 1, 3]))]),
        Case("softmax of 128", 1, [Type(DType.F32, 96, 128, 128)], (b, p) => [b.Softmax(p[0], 2)]),
        Case("softmax of 1024", 1, [Type(DType.BF16, 8192, 1024)], (b, p) => [b.Softmax(p[0], 1)]),
        Case("softmax of 32000", 1, [Type(DType.F32, 512, 32_000)], (b, p) => [b.Softmax(p[0], 1)]),
        Case("layer norm of 768", 1, [Type(DType.F32, 8192, 768), Type(DType.F32, 768), Type(DType.F32, 768)],
            (b, p) => [b.LayerNorm(p[0], p[1], p[2])]),
        Case("layer norm of 4096", 1, [Type(DType.BF16, 8192, 4096), Type(DType.BF16, 4096), Type(DType.BF16, 4096)],
            (b, p) => [b.LayerNorm(p[0], p[1], p[2])]),
        Case("layer norm of 16384", 1, [Type(DType.F32, 512, 16384), Type(DType.F32, 16384), Type(DType.F32, 16384)],
            (b, p) => [b.LayerNorm(p[0], p[1], p[2])]),
        Case("layer norm of 32000", 1, [Type(DType.F32, 512, 32_000), Type(DType.F32, 32_000), Type(DType.F32, 32_000)],
            (b, p) => [b.LayerNorm(p[0], p[1], p[2])]),
        Case("arg max of 1000", 1, [Type(DType.F32, 4096, 1000)], (b, p) => [b.ArgMax(p[0], 1)]),
        Case("sum of columns", 1, [Type(DType.F32, 8192, 768)], (b, p) => [b.ReduceSum(p[0], [0])]),
        Case("transpose of f32", 1, [Type(DType.F32, 4096, 4096)], (b, p) => [b.Transpose(p[0], [1, 0])]),
        Case("transpose with work", 1, [Type(DType.F32, 4096, 4096), Type(DType.F32, 4096, 4096)],
            (b, p) => [b.Add(b.Transpose(b.Exponential(p[0]), [1, 0]), p[1])]),
        Case("pieces with work", 4, [Type(DType.F32, 512, 96, 32), Type(DType.F32, 512, 96, 64)],
            (b, p) => [b.Negate(b.Concatenate([b.Exponential(p[0]), p[1]], 2))]),
        Case("transpose of bf16", 1, [Type(DType.BF16, 4096, 4096)], (b, p) => [b.Transpose(p[0], [1, 0])]),
    ];

    [TestCaseSource(nameof(Graphs))]
    public void AccessesAreWide(TensorType[] types, Func<GraphBuilder, Node[], Node[]> write, int words)
    {
        PtxModule module = Compile(types, write);

        // Vectors of elements are vectors of words.
        bool hasVectors = words == 1 || Regex.IsMatch(module.Text, $@"ld\.global[.\w:]*\.v{words}\.");
        Assert.That(hasVectors, () => module.Text);
        Assert.That(module.Text, Does.Not.Contain(".local"));
    }

    [Explicit("needs ptxas")]
    [TestCaseSource(nameof(Graphs))]
    public void RegistersAreEnough(TensorType[] types, Func<GraphBuilder, Node[], Node[]> write, int words)
    {
        PtxModule module = Compile(types, write);
        foreach (PtxasReport report in Ptxas.Assemble(module.Text, module.Target.Name))
        {
            TestContext.Out.WriteLine(report);
            Assert.That(report.SpilledBytes, Is.Zero, $"{report}, {words} words");
        }
    }

    private static PtxModule Compile(TensorType[] types, Func<GraphBuilder, Node[], Node[]> write)
    {
        using var compiler = new PtxCompiler(PtxTarget.Of(Hopper));
        foreach (LoweredKernel kernel in new LoopsGraph(types, write).Lower())
        {
            compiler.Add(kernel.Kernel);
        }
        return compiler.Finish();
    }

    private static TestCaseData Case(
        string name, int words, TensorType[] types, Func<GraphBuilder, Node[], Node[]> write) =>
        new TestCaseData(types, write, words).SetArgDisplayNames(name);
}
