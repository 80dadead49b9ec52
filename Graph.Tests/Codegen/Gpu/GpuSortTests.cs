using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Sorts on a GPU: the reference's order, which is stable, for lines of one run and of many.</summary>
internal sealed class GpuSortTests
{
    [TestCase(DType.F32, 1)]
    [TestCase(DType.F32, 2)]
    [TestCase(DType.F64, 33)]
    [TestCase(DType.I32, 64)]
    [TestCase(DType.F16, 100)]
    [TestCase(DType.U8, 1000)]
    [TestCase(DType.F32, 2048)]
    [TestCase(DType.F32, 5000)]
    [TestCase(DType.I64, 9001)]
    [TestCase(DType.F32, 0)]
    public void LinesAreSorted(DType type, int length)
    {
        Module module = Sort([2, length], 1, type, false);
        GpuNode.Agrees(module, [Few([2, length], 1, type)]);
    }

    [TestCase(40)]
    [TestCase(3000)]
    public void EqualKeysKeepTheirOrder(int length)
    {
        Module module = Sort([length, 3], 0, DType.I32, true);
        Literal numbers = Literal.Generate(new TensorType(DType.I32, Shape.Of(length, 3)), at => Scalar.FromInteger(DType.I32, at[0]));
        GpuNode.Agrees(module, [Few([length, 3], 1, DType.I32), numbers]);
    }

    [Test]
    public void OneSetOfKernelsServesAllLengths()
    {
        var length = new DimSymbol("length", 0, 20_000);
        Module symbolic = Sort([2, length], 1, DType.F32, false);
        var node = new GpuNode(symbolic);
        foreach (int n in new[] { 0, 1, 5, 2048, 2049, 4097, 9000 })
        {
            Literal[] arguments = [Few([2, n], n, DType.F32)];
            LiteralAssert.AreEqual(
                node.Run(arguments, (length, n))[0],
                Evaluator.Evaluate(Sort([2, n], 1, DType.F32, false).Entry, arguments)[0],
                $"length {n}");
        }
    }

    private static Module Sort(Dim[] shape, int dimension, DType type, bool hasNumbers) => CompiledModule.Build(b =>
    {
        var inner = new GraphBuilder();
        IEnumerable<TensorType> types =
            Enumerable.Range(0, hasNumbers ? 4 : 2).Select(i => TensorType.Scalar(i < 2 ? type : DType.I32));
        Node[] p = [.. types.Select((t, i) => inner.Parameter(i, t))];
        Computation comparator = inner.Build("less", [inner.Less(p[0], p[1])]);
        Node keys = b.Parameter(0, new TensorType(type, Shape.From(shape)));
        Node[] operands = hasNumbers ? [keys, b.Parameter(1, new TensorType(DType.I32, Shape.From(shape)))] : [keys];
        return b.Results(b.Add(new SortOp(dimension, comparator), operands));
    });

    // Few different keys, so that many are equal.
    private static Literal Few(long[] shape, int seed, DType type)
    {
        var random = new Random(seed);
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => Scalar.FromNumber(type, random.Next(0, 100)));
    }
}
