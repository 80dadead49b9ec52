using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Attention on a GPU, in the interpreter and without races: close to the reference for every type, shape and mask.</summary>
internal sealed class GpuAttentionTests
{
    private static readonly DType[] Types = [DType.F32, DType.F64, DType.F16, DType.BF16];

    [TestCaseSource(nameof(Types))]
    public void SizesNeedNotFillTiles(DType type)
    {
        foreach ((int batch, int heads, int queries, int keys, int size, int columns) in new[]
        {
            (1, 1, 16, 16, 64, 64), (2, 2, 37, 53, 40, 40), (1, 1, 1, 129, 64, 64), (3, 2, 1, 7, 5, 3), (1, 2, 70, 66, 16, 24),
        })
        {
            Agrees(type, b => [b.Attention(
                Part(b, 0, type, batch, heads, queries, size), Part(b, 1, type, batch, heads, keys, size),
                Part(b, 2, type, batch, heads, keys, columns))]);
        }
    }

    [TestCase(DType.F32, 90, 128)]
    [TestCase(DType.F32, 86, 256)]
    [TestCase(DType.F16, 80, 128)]
    [TestCase(DType.BF16, 86, 256)]
    [TestCase(DType.F16, 75, 32)]
    [TestCase(DType.F16, 90, 264)]
    public void EveryGpuHasABlockThatFits(DType type, int architecture, int size) => Agrees(type, b => [b.Attention(
        Part(b, 0, type, 1, 1, 33, size), Part(b, 1, type, 1, 1, 40, size), Part(b, 2, type, 1, 1, 40, size))],
        new GpuTarget(architecture));

    private static IEnumerable<TestCaseData> Singles =>
    [
        new TestCaseData(1, 1, 16, 16, 64, 64), new TestCaseData(2, 2, 37, 53, 40, 24), new TestCaseData(1, 1, 1, 129, 64, 64),
        new TestCaseData(3, 2, 1, 7, 5, 3), new TestCaseData(1, 1, 70, 66, 16, 136), new TestCaseData(1, 1, 18, 20, 80, 128),
    ];

    [TestCaseSource(nameof(Singles))]
    public void SinglesAreRoundedToTensorFloat32OnlyWhenAsked(int batch, int heads, int queries, int keys, int size, int columns)
    {
        Module module = CompiledModule.Build(b => [b.Attention(
            Part(b, 0, DType.F32, batch, heads, queries, size), Part(b, 1, DType.F32, batch, heads, keys, size),
            Part(b, 2, DType.F32, batch, heads, keys, columns))]);
        Literal[] arguments = Arguments(module);
        var rounding = new GpuNode(module, new GpuTarget(80) { AllowsTensorFloat32 = true });
        Assert.That(KernelPrinter.Print(rounding.Kernels[0].Kernel), Does.Contain("fragment_dot[16, 8, 8, f32, f32, f32]"));
        Assert.That(KernelPrinter.Print(new GpuNode(module, new GpuTarget(80)).Kernels[0].Kernel), Does.Not.Contain("fragment_dot"));
        Literal expected = Evaluator.Evaluate(module.Entry, arguments)[0];
        LiteralAssert.AreClose(new Literal(expected.Type, rounding.Run(arguments)[0].Bytes.ToArray()), expected, 3e-3, 3e-3);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void SinglesThatAreRoundedMayBeMasked(bool causal) => Agrees(DType.F16, CompiledModule.Build(b => [b.Attention(
        Part(b, 0, DType.F32, 1, 2, 19, 16), Part(b, 1, DType.F32, 1, 2, 83, 16), Part(b, 2, DType.F32, 1, 2, 83, 16),
        b.Less(b.Parameter(3, new TensorType(DType.F32, Shape.Of(1, 1, 1, 83))), b.Splat(DType.F32, Shape.Of(1, 1, 1, 83), 0.5)),
        new AttentionOptions { Causal = causal })]), new GpuTarget(90, true) { AllowsTensorFloat32 = true });

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void ProjectionsAreReadWhereTheyLie(DType type) => Agrees(type, b =>
    {
        Node x = b.Parameter(0, new TensorType(type, Shape.Of(2, 19, 3 * 4 * 24)));
        Node[] parts = [.. Enumerable.Range(0, 3).Select(i => b.Transpose(
            b.Reshape(b.SliceDimension(x, 2, i * 96, (i + 1) * 96), [2, 19, 4, 24]), [0, 2, 1, 3]))];
        return [b.Reshape(b.Transpose(b.Attention(parts[0], parts[1], parts[2]), [0, 2, 1, 3]), [2, 19, 96])];
    });

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void KeysMayBeStoredTransposed(DType type) => Agrees(type, b => [b.Attention(
        Part(b, 0, type, 1, 2, 9, 12), b.Transpose(Part(b, 1, type, 1, 2, 12, 21), [0, 1, 3, 2]), Part(b, 2, type, 1, 2, 21, 12))]);

    [TestCase(DType.F32, 1, 1, 1, 23)]
    [TestCase(DType.F32, 2, 3, 19, 23)]
    [TestCase(DType.BF16, 2, 1, 19, 23)]
    [TestCase(DType.F16, 1, 3, 19, 23)]
    public void NumbersMayBeAddedToScores(DType type, long batch, long heads, long queries, long keys) => Agrees(type, b => [b.Attention(
        Part(b, 0, type, 2, 3, 19, 16), Part(b, 1, type, 2, 3, 23, 16), Part(b, 2, type, 2, 3, 23, 16),
        b.Parameter(3, new TensorType(type, Shape.Of(batch, heads, queries, keys))))]);

    [TestCase(DType.F32, true)]
    [TestCase(DType.F32, false)]
    [TestCase(DType.F16, true)]
    [TestCase(DType.F16, false)]
    public void KeysMayBeHidden(DType type, bool causal) => Agrees(type, b => [b.Attention(
        Part(b, 0, type, 2, 2, 19, 16), Part(b, 1, type, 2, 2, 23, 16), Part(b, 2, type, 2, 2, 23, 16),
        b.Less(b.Parameter(3, new TensorType(DType.F32, Shape.Of(2, 1, 1, 23))), b.Splat(DType.F32, Shape.Of(2, 1, 1, 23), 0.5)),
        new AttentionOptions { Causal = causal, SoftCap = causal ? null : 3 })]);

    [TestCase(DType.F32, 1, 1)]
    [TestCase(DType.F16, 1, 1)]
    [TestCase(DType.F32, 1, 3)]
    [TestCase(DType.BF16, 2, 2)]
    public void TilesThatACausalMaskHidesAreLeftOut(DType type, int batch, int heads)
    {
        Module module = CompiledModule.Build(b => [b.Attention(
            Part(b, 0, type, batch, heads, 150, 16), Part(b, 1, type, batch, heads, 150, 16), Part(b, 2, type, batch, heads, 150, 16), null,
            new AttentionOptions { Causal = true })]);
        var node = new GpuNode(module);
        Assert.That(KernelPrinter.Print(node.Kernels[0].Kernel), Does.Contain("seen"), "the last key that a block sees");
        Literal[] arguments = Arguments(module);
        Agrees(type, module, arguments, node.Run(arguments)[0]);
    }

    [TestCase(DType.F32, 1)]
    [TestCase(DType.F16, 1)]
    [TestCase(DType.F32, 5)]
    [TestCase(DType.F16, 3)]
    public void KeysOfFewQueriesAreCutIntoParts(DType type, int queries)
    {
        Module module = CompiledModule.Build(b => [b.Attention(
            Part(b, 0, type, 1, 2, queries, 16), Part(b, 1, type, 1, 2, 1100, 16), Part(b, 2, type, 1, 2, 1100, 16))]);
        var node = new GpuNode(module);
        Assert.That(node.Kernels, Has.Count.EqualTo(2));
        Literal[] arguments = Arguments(module);
        Agrees(type, module, arguments, node.Run(arguments)[0]);
    }

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void HeadsMayShareKeys(DType type)
    {
        foreach (int queries in new[] { 11, 1 })
        {
            Agrees(type, b => [b.Attention(
                Part(b, 0, type, 2, 6, queries, 16), Part(b, 1, type, 2, 2, 13, 16), Part(b, 2, type, 2, 2, 13, 16))]);
        }
    }

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void AQueryThatSeesNoKeyGivesNaN(DType type)
    {
        Module module = CompiledModule.Build(b => [b.Attention(
            Part(b, 0, type, 1, 1, 3, 8), Part(b, 1, type, 1, 1, 5, 8), Part(b, 2, type, 1, 1, 5, 8),
            b.Parameter(3, new TensorType(DType.Bool, Shape.Of(1, 1, 3, 5))))]);
        Literal mask = Literal.Generate(new TensorType(DType.Bool, Shape.Of(1, 1, 3, 5)), at => Scalar.FromBool(at[2] != 1));
        Literal found = new GpuNode(module).Run(
            [Noise([1, 1, 3, 8], 1, type), Noise([1, 1, 5, 8], 2, type), Noise([1, 1, 5, 8], 3, type), mask])[0];
        for (int i = 0; i < 24; i++)
        {
            Assert.That(double.IsNaN(found[i].AsDouble), Is.EqualTo(i / 8 == 1), $"element {i}");
        }
    }

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void OneKernelServesAllLengths(DType type)
    {
        var length = new DimSymbol("length", 0, 100_000);
        var node = new GpuNode(Sequence(type, length));
        foreach (int n in new[] { 0, 1, 7, 64, 100 })
        {
            Module sized = Sequence(type, n);
            Literal[] arguments = Arguments(sized);
            Agrees(type, sized, arguments, node.Run(arguments, (length, n))[0]);
        }
    }

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public void NumbersOfKeysMayBeSymbolic(DType type)
    {
        var keys = new DimSymbol("keys", 0, 100_000);
        Module Of(Dim n) => CompiledModule.Build(b => [b.Attention(
            Part(b, 0, type, 1, 2, 1, 16), b.Parameter(1, new TensorType(type, [1, 2, n, 16])),
            b.Parameter(2, new TensorType(type, [1, 2, n, 16])))]);
        var node = new GpuNode(Of(keys));
        foreach (int n in new[] { 0, 1, 511, 513, 1025 })
        {
            Literal[] arguments = Arguments(Of(n));
            Agrees(type, Of(n), arguments, node.Run(arguments, (keys, n))[0]);
        }
    }

    private static Module Sequence(DType type, Dim length) => CompiledModule.Build(b =>
    {
        Node[] parts = [.. Enumerable.Range(0, 3).Select(i => b.Transpose(
            b.Reshape(b.Parameter(i, new TensorType(type, [2, length, 3 * 8])), [2, length, 3, 8]), [0, 2, 1, 3]))];
        return [b.Reshape(b.Transpose(b.Attention(parts[0], parts[1], parts[2]), [0, 2, 1, 3]), [2, length, 3 * 8])];
    });

    private static Node Part(GraphBuilder b, int number, DType type, int batch, int heads, int positions, int size) =>
        b.Parameter(number, new TensorType(type, Shape.Of(batch, heads, positions, size)));

    private static Literal[] Arguments(Module module) =>
        [.. module.Entry.ParameterTypes.Select((t, i) => Noise(t.Shape.ToStatic(), i + 1, t.DType))];

    private static void Agrees(DType type, Func<GraphBuilder, Node[]> write, GpuTarget? target = null) =>
        Agrees(type, CompiledModule.Build(write), target);

    private static void Agrees(DType type, Module module, GpuTarget? target)
    {
        Literal[] arguments = Arguments(module);
        var gpu = new GpuModule(module, target);
        Assert.That(
            gpu.Kernels.Where(k => k.Name == "attention").Any(GpuModule.IsThreadPerTask), Is.False,
            "attention has a schedule of its own");
        Assert.That(gpu.Kernels.Select(k => k.Name), Does.Contain("attention"));
        Agrees(type, module, arguments, gpu.Run(arguments)[0]);
    }

    private static void Agrees(DType type, Module module, Literal[] arguments, Literal found)
    {
        Literal expected = Evaluator.Evaluate(module.Entry, arguments)[0];
        Literal shaped = new(expected.Type, found.Bytes.ToArray());
        // Scores and weights of 16 bits are rounded, one step more or less: some units of the last place of results around 1.
        (double relative, double absolute) = type switch
        {
            DType.F64 => (1e-13, 1e-14),
            DType.F32 => (1e-5, 1e-6),
            DType.F16 => (2e-3, 4e-3),
            _ => (1.6e-2, 3e-2),
        };
        LiteralAssert.AreClose(shaped, expected, relative, absolute, $"{type}");
    }
}
