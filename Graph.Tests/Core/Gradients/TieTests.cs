using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>What gradients do where there is no derivative: the choices that docs/decisions/0011 states.</summary>
internal sealed class TieTests
{
    [Test]
    public void TheSlopeOfReluAtZeroIsZero() =>
        Assert.That(Gradient([-1, 0, 2], (b, x) => b.Relu(x)), Is.EqualTo(new float[] { 0, 0, 1 }));

    [Test]
    public void AMaximumOfTwoEqualValuesGivesHalfToEach() =>
        Assert.That(
            Gradient([3, 1, 4], (b, x) => b.Maximum(x, b.Reverse(x, [0]))), Is.EqualTo(new float[] { 0, 1, 2 }),
            "[4, 1, 4]: the middle is equal to itself, both halves meet there");

    [Test]
    public void TheMaximumAlongAnAxisIsSharedEqually() =>
        Assert.That(Gradient([5, 1, 5, 5], (b, x) => b.ReduceMax(x, [0])), Is.EqualTo(new float[] { 1 / 3f, 0, 1 / 3f, 1 / 3f }));

    [Test]
    public void TheInitialValueTakesPartInATie() =>
        Assert.That(
            Gradient([0, -1, 0], (b, x) => b.Reduce(x, b.Constant(DType.F32, 0), [0], ElementwiseTable.Maximum)),
            Is.EqualTo(new float[] { 1 / 3f, 0, 1 / 3f }));

    [Test]
    public void AWindowPicksItsFirstMaximum() =>
        Assert.That(
            Gradient([7, 7, 2, 2], (b, x) => b.ReduceWindow(
                x, b.Constant(Scalar.Lowest(DType.F32)), [new WindowDim(2, Stride: 2)], ElementwiseTable.Maximum)),
            Is.EqualTo(new float[] { 1, 0, 1, 0 }));

    [Test]
    public void AnElementOnABoundHasNoSlope() =>
        Assert.That(
            Gradient([0, 0.5f, 1, 2], (b, x) => b.Clamp(b.Constant(DType.F32, 0), x, b.Constant(DType.F32, 1))),
            Is.EqualTo(new float[] { 0, 1, 0, 0 }));

    [Test]
    public void PowersOfZero()
    {
        Assert.That(Gradient([0, 3], (b, x) => b.Power(x, b.Like(x, 2))), Is.EqualTo(new float[] { 0, 6 }));
        Assert.That(Gradient([0, 3], (b, x) => b.Power(x, b.Like(x, 0))), Is.EqualTo(new float[] { 0, 0 }));
        Assert.That(Gradient([0, 1], (b, x) => b.Power(b.Like(x, 0), x)), Is.EqualTo(new float[] { 0, 0 }));
    }

    [Test]
    public void AProductWithZerosIsDifferentiatedRight() =>
        Assert.That(
            Gradient([2, 0, 5], (b, x) => b.ReduceProduct(x, [0])), Is.EqualTo(new float[] { 0, 10, 0 }));

    [Test]
    public void EqualElementsKeepTheirOrderWhenSorted() =>
        Assert.That(
            Gradient([1, 0, 1], (b, x) => b.Multiply(b.SortValues(x), b.Constant(F32([3], 10, 20, 30)))),
            Is.EqualTo(new float[] { 20, 10, 30 }));

    // Of the sum of what is computed.
    private static float[] Gradient(float[] x, Func<GraphBuilder, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node parameter = b.Parameter(0, new TensorType(DType.F32, Shape.Of(x.Length)));
        Node y = build(b, parameter);
        Node gradient = ReverseMode.Run(b, [y], [b.Like(y, 1)], [parameter])[0] ?? b.Like(parameter, 0);
        return Evaluator.Evaluate(b.Build("gradient", [gradient]), [Literal.From<float>(x, x.Length)])[0].As<float>().ToArray();
    }
}
