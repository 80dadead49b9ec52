using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class MatMulTests
{
    private static readonly long[][][] Shapes =
    [
        [[2, 3], [3, 4], [2, 4]],
        [[3], [3], []],
        [[3], [3, 4], [4]],
        [[2, 3], [3], [2]],
        [[5, 2, 3], [3], [5, 2]],
        [[3], [5, 3, 2], [5, 2]],
        [[5, 2, 3], [3, 4], [5, 2, 4]],
        [[2, 3], [5, 3, 4], [5, 2, 4]],
        [[5, 2, 3], [5, 3, 4], [5, 2, 4]],
        [[5, 1, 2, 3], [6, 3, 4], [5, 6, 2, 4]],
        [[1, 6, 2, 3], [5, 1, 3, 4], [5, 6, 2, 4]],
        [[2, 1, 7, 2, 3], [1, 5, 7, 3, 4], [2, 5, 7, 2, 4]],
        [[1, 1, 2, 3], [1, 1, 3, 4], [1, 1, 2, 4]],
        [[0, 3], [3, 4], [0, 4]],
    ];

    [TestCaseSource(nameof(Shapes))]
    public void MatMulIsNumPys(long[] left, long[] right, long[] result)
    {
        Literal x = Noise(left, 1);
        Literal y = Noise(right, 2);

        Literal z = One(b => b.MatMul(b.Constant(x), b.Constant(y)));

        Assert.That(z.Shape, Is.EqualTo(Shape.Of(result)));
        long[] matrices = [.. result];
        matrices = right.Length == 1 ? [.. matrices, 1] : matrices;
        matrices = left.Length == 1 ? [.. matrices[..^1], 1, matrices[^1]] : matrices;
        CompositeAssert.Elements(z, IndexSpace.Of(matrices).Select(at =>
        {
            double sum = 0;
            for (long k = 0; k < left[^1]; k++)
            {
                long[] i = left.Length == 1 ? [k] : [.. Batch(left, at), at[^2], k];
                long[] j = right.Length == 1 ? [k] : [.. Batch(right, at), k, at[^1]];
                sum += x[i].AsDouble * y[j].AsDouble;
            }
            return sum;
        }));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(true, true)]
    public void GemmTransposesScalesAndAdds(bool transposeX, bool transposeY)
    {
        Literal x = Noise(transposeX ? [3, 2] : [2, 3], 1);
        Literal y = Noise(transposeY ? [4, 3] : [3, 4], 2);
        Literal c = Noise([4], 3);

        CompositeAssert.Elements(
            b => b.Gemm(b.Constant(x), b.Constant(y), b.Constant(c), 0.5, 2, transposeX, transposeY),
            IndexSpace.Of([2, 4]).Select(at => (2 * c[at[1]].AsDouble) + (0.5 * Enumerable.Range(0, 3).Sum(k =>
                x[transposeX ? [k, at[0]] : [at[0], k]].AsDouble * y[transposeY ? [at[1], k] : [k, at[1]]].AsDouble))));
    }

    [Test]
    public void OtherInnerSizesAreRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 3)));
        Node y = b.Parameter(1, new TensorType(DType.F32, Shape.Of(4, 5)));

        GraphException error = Assert.Throws<GraphException>(() => b.MatMul(x, y))!;

        Assert.That(error.Message, Does.StartWith("GR1301 matmul: cannot multiply f32[2,3] by f32[4,5]: 3 columns meet 4 rows"));
    }

    [Test]
    public void ASymbolicBatchMeetsAWeightWithoutBroadcast()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("batch"), Dim.Symbol("seq"), 8]));
        Node w = b.Parameter(1, new TensorType(DType.F32, Shape.Of(8, 4)));

        Node y = b.MatMul(x, w);

        Assert.That(y.Op, Is.TypeOf<DotGeneralOp>());
        Assert.That(y.Shape.ToString(), Is.EqualTo("[batch,seq,4]"));
    }

    // The part of a result index that counts an operand's batch dimensions, 0 where they have size 1.
    private static IEnumerable<long> Batch(long[] shape, long[] at)
    {
        int rank = shape.Length - 2;
        return at[..^2][^rank..].Select((index, i) => shape[i] == 1 ? 0 : index);
    }
}
