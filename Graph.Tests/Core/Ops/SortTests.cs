using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

internal sealed class SortTests
{
    [Test]
    public void EqualElementsKeepTheirOrder()
    {
        float inf = float.PositiveInfinity;
        Literal[] y = All(b => b.Sort(
            [b.Constant(F32([2, 4], inf, 2, -inf, 1, 4, inf, 3, 5)), b.Constant(I32([2, 4], 0, 1, 2, 3, 4, 5, 6, 7))],
            1, FiniteFirst()));

        Assert.That(y[0].As<float>().ToArray(), Is.EqualTo(new float[] { 2, 1, inf, -inf, 4, 3, 5, inf }));
        Assert.That(y[1].As<int>().ToArray(), Is.EqualTo(new[] { 1, 3, 0, 2, 4, 6, 7, 5 }));
    }

    [Test]
    public void AnOuterDimensionIsSortedColumnByColumn()
    {
        float inf = float.PositiveInfinity;
        Literal[] y = All(b => b.Sort(
            [b.Constant(F32([2, 2], inf, 2, 1, inf)), b.Constant(I32([2, 2], 0, 1, 2, 3))], 0, FiniteFirst()));

        Assert.That(y[1].As<int>().ToArray(), Is.EqualTo(new[] { 2, 1, 0, 3 }));
    }

    // Compares two tensors' elements together: finite ones of the first stand before the others.
    private static Computation FiniteFirst()
    {
        var b = new GraphBuilder();
        Node left = b.Parameter(0, TensorType.Scalar(DType.F32));
        Node right = b.Parameter(1, TensorType.Scalar(DType.F32));
        b.Parameter(2, TensorType.Scalar(DType.I32));
        b.Parameter(3, TensorType.Scalar(DType.I32));
        return b.Build("finite_first", [b.And(b.IsFinite(left), b.Not(b.IsFinite(right)))]);
    }
}
