using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Scatter on a GPU: the reference's bits, so updates of one place are applied in order; and no races.</summary>
internal sealed class GpuScatterTests
{
    // Rows of a table, as the gradient of an embedding: updates [n.., width] into [rows, width].
    private static ScatterDimensions Rows(int indexRank) => new([indexRank], [0], [], [], [0], indexRank);

    [TestCase(DType.F32, 13, 24, 300)]
    [TestCase(DType.F32, 1000, 7, 2100)]
    [TestCase(DType.F32, 3, 1030, 40)]
    [TestCase(DType.F32, 5, 1, 3000)]
    [TestCase(DType.F64, 10, 10, 50)]
    [TestCase(DType.F16, 10, 16, 50)]
    [TestCase(DType.BF16, 10, 3, 50)]
    [TestCase(DType.I8, 10, 16, 50)]
    [TestCase(DType.I64, 10, 5, 0)]
    [TestCase(DType.F32, 0, 5, 9)]
    public void RowsAreAddedInOrder(DType type, int rows, int width, int updates)
    {
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(type, Shape.Of(rows, width))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(updates))),
            b.Parameter(2, new TensorType(type, Shape.Of(updates, width))), Rows(1), Body(type, (n, x, y) => n.Add(x, y)))]);
        // Some indices are outside.
        GpuNode.Agrees(module, [Values([rows, width], 1, type), Indices([updates], 2, -1, rows + 1), Values([updates, width], 3, type)]);
    }

    [TestCase("add")]
    [TestCase("multiply")]
    [TestCase("minimum")]
    [TestCase("maximum")]
    [TestCase("replace")]
    [TestCase("constant")]
    public void AnyFunctionCombines(string function)
    {
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(6, 8))), b.Parameter(1, new TensorType(DType.I64, Shape.Of(5, 9))),
            b.Parameter(2, new TensorType(DType.F32, Shape.Of(5, 9, 8))), Rows(2), Body(DType.F32, (n, x, y) => function switch
            {
                "add" => n.Add(x, y),
                "multiply" => n.Multiply(x, y),
                "minimum" => n.Minimum(x, y),
                "maximum" => n.Maximum(x, y),
                "replace" => y,
                _ => n.Constant(Literal.Generate(TensorType.Scalar(DType.F32), _ => Scalar.FromDouble(DType.F32, 3))),
            }))]);
        GpuNode.Agrees(module, [Noise([6, 8], 1), Indices([5, 9], 2, 0, 6, DType.I64), Noise([5, 9, 8], 3)]);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void ElementsAreAddedAtPairsOfIndices(bool unique)
    {
        var dimensions = new ScatterDimensions([], [0, 1], [], [], [1, 0], 1);
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(7, 40))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(90, 2))),
            b.Parameter(2, new TensorType(DType.F32, Shape.Of(90))), dimensions, Body(DType.F32, (n, x, y) => n.Add(x, y)), unique)]);
        Literal indices = unique
            ? Literal.Generate(
                new TensorType(DType.I32, Shape.Of(90, 2)),
                at => Scalar.FromInteger(DType.I32, at[1] == 0 ? at[0] % 40 : at[0] / 40))
            : Indices([90, 2], 2, -1, 9);
        GpuNode.Agrees(module, [Noise([7, 40], 1), indices, Noise([90], 3)]);
    }

    [Test]
    public void WindowsMayOverlapAndLeaveTheResult()
    {
        var dimensions = new ScatterDimensions([1, 2], [], [], [], [0, 1], 1);
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(9, 10))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(30, 2))),
            b.Parameter(2, new TensorType(DType.F32, Shape.Of(30, 3, 4))), dimensions, Body(DType.F32, (n, x, y) => n.Add(x, y)))]);
        GpuNode.Agrees(module, [Noise([9, 10], 1), Indices([30, 2], 2, -2, 9), Noise([30, 3, 4], 3)]);
    }

    [Test]
    public void ColumnsMayStandInFrontAndWindowsBeSmaller()
    {
        // Updates [4, n, 5] into [4, rows, 8]: the first dimension is whole, the last one is not.
        var dimensions = new ScatterDimensions([0, 2], [1], [], [], [1], 1);
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(4, 11, 8))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(20))),
            b.Parameter(2, new TensorType(DType.F32, Shape.Of(4, 20, 5))), dimensions, Body(DType.F32, (n, x, y) => n.Add(x, y)))]);
        GpuNode.Agrees(module, [Noise([4, 11, 8], 1), Indices([20], 2, 0, 11), Noise([4, 20, 5], 3)]);
    }

    [Test]
    public void SeveralResultsAreCombinedTogether()
    {
        Module module = CompiledModule.Build(b =>
        {
            var inner = new GraphBuilder();
            Node[] p = [.. Enumerable.Range(0, 4).Select(i => inner.Parameter(i, TensorType.Scalar(i % 2 == 0 ? DType.F32 : DType.I32)))];
            Node less = inner.Less(p[0], p[2]);
            Computation body = inner.Build("argmax", [inner.Select(less, p[2], p[0]), inner.Select(less, p[3], p[1])]);
            Node node = b.Add(
                new ScatterOp(Rows(1), false, body), b.Parameter(0, new TensorType(DType.F32, Shape.Of(6, 12))),
                b.Parameter(1, new TensorType(DType.I32, Shape.Of(6, 12))), b.Parameter(2, new TensorType(DType.I32, Shape.Of(50))),
                b.Parameter(3, new TensorType(DType.F32, Shape.Of(50, 12))), b.Parameter(4, new TensorType(DType.I32, Shape.Of(50, 12))));
            return b.Results(node);
        });
        GpuNode.Agrees(
            module,
            [
                Noise([6, 12], 1), Indices([6, 12], 2, 0, 99), Indices([50], 3, 0, 6), Noise([50, 12], 4),
                Indices([50, 12], 5, 0, 99),
            ]);
    }

    [Test]
    public void ResultsMayTakeOverTheMemoryOfInputs()
    {
        Module module = CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(600, 8))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(40))),
            b.Parameter(2, new TensorType(DType.F32, Shape.Of(40, 8))), Rows(1), Body(DType.F32, (n, x, y) => n.Add(x, y)))]);
        Literal[] arguments = [Noise([600, 8], 1), Indices([40], 2, 0, 30), Noise([40, 8], 3)];
        LoweredKernel kernel = new GpuNode(module, isOverwritten: i => i == 0).Kernels.Single();
        byte[] both = arguments[0].Bytes.ToArray();
        new KernelInterpreter(kernel.Kernel, [both, arguments[1].Bytes.ToArray(), arguments[2].Bytes.ToArray(), both]).Run();
        LiteralAssert.AreEqual(new Literal(arguments[0].Type, both), Evaluator.Evaluate(module.Entry, arguments)[0]);
    }

    [Test]
    public void OneKernelServesAllSizes()
    {
        (DimSymbol rows, DimSymbol updates) = (new DimSymbol("rows", 0, 100_000), new DimSymbol("updates", 0, 100_000));
        Module Of(Dim r, Dim u) => CompiledModule.Build(b => [b.Scatter(
            b.Parameter(0, new TensorType(DType.F32, [r, 6])), b.Parameter(1, new TensorType(DType.I32, [u])),
            b.Parameter(2, new TensorType(DType.F32, [u, 6])), Rows(1), Body(DType.F32, (n, x, y) => n.Add(x, y)))]);
        var node = new GpuNode(Of(rows, updates));
        Assert.That(node.HasOwnSchedule);
        foreach ((int r, int u) in new[] { (0, 3), (7, 0), (7, 90), (3000, 1500) })
        {
            Literal[] arguments = [Noise([r, 6], 1), Indices([u], 2, 0, r), Noise([u, 6], 3)];
            LiteralAssert.AreEqual(
                node.Run(arguments, (rows, r), (updates, u))[0], Evaluator.Evaluate(Of(r, u).Entry, arguments)[0],
                $"{r} rows, {u} updates");
        }
    }

    private static Computation Body(DType type, Func<GraphBuilder, Node, Node, Node> combine)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node y = b.Parameter(1, TensorType.Scalar(type));
        return b.Build("body", [combine(b, x, y)]);
    }

    private static Literal Values(long[] shape, int seed, DType type) =>
        type.IsFloating() ? Noise(shape, seed, type) : Indices(shape, seed, -9, 10, type);

    private static Literal Indices(long[] shape, int seed, int from, int to, DType type = DType.I32)
    {
        var random = new Random(seed);
        return Literal.Generate(
            new TensorType(type, Shape.Of(shape)),
            _ => Scalar.FromInteger(type, random.Next(from, Math.Max(from + 1, to))));
    }
}
