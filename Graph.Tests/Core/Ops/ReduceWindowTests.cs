using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

internal sealed class ReduceWindowTests
{
    [Test]
    public void TheSpecificationsExampleHolds()
    {
        Literal x = I32([3, 2], 1, 2, 3, 4, 5, 6);
        WindowDim[] window = [new(2, Stride: 4, Low: 2, High: 1, BaseDilation: 2, Dilation: 3), WindowDim.Identity];

        Literal y = One(b => b.ReduceWindow(b.Constant(x), b.Constant(DType.I32, 0), window, ElementwiseTable.Add));

        Assert.That(y.Shape, Is.EqualTo(Shape.Of(2, 2)));
        Assert.That(y.As<int>().ToArray(), Is.EqualTo(new[] { 0, 0, 3, 4 }));
    }

    [Test]
    public void AMaximumOverWindowsIgnoresPadding()
    {
        Literal x = F32([5], -1, -5, -3, -2, -4);
        WindowDim[] window = [new(3, Stride: 2, Low: 1, High: 1)];

        Assert.That(
            Floats(b => b.ReduceWindow(
                b.Constant(x), b.Constant(DType.F32, double.NegativeInfinity), window, ElementwiseTable.Maximum)),
            Is.EqualTo(new float[] { -1, -2, -2 }));
    }

    [Test]
    public void SeveralInputsReduceTogether()
    {
        var inner = new GraphBuilder();
        Node[] p = [.. Enumerable.Range(0, 4).Select(i => inner.Parameter(i, TensorType.Scalar(DType.F32)))];
        Computation body = inner.Build("sum_and_max", [inner.Add(p[0], p[2]), inner.Maximum(p[1], p[3])]);

        Literal[] y = All(b =>
        {
            Node x = b.Constant(F32([4], 1, 2, 3, 4));
            Node pair = b.Add(
                new ReduceWindowOp([new WindowDim(2)], body), x, x, b.Constant(DType.F32, 0), b.Constant(DType.F32, 0));
            return b.Results(pair);
        });

        Assert.That(y[0].As<float>().ToArray(), Is.EqualTo(new float[] { 3, 5, 7 }));
        Assert.That(y[1].As<float>().ToArray(), Is.EqualTo(new float[] { 2, 3, 4 }));
    }

    [Test]
    public void AWindowLargerThanItsInputGivesNoElements() => Assert.That(
        One(b => b.ReduceWindow(
            b.Constant(F32([2], 1, 2)), b.Constant(DType.F32, 0), [new WindowDim(3)], ElementwiseTable.Add)).Shape,
        Is.EqualTo(Shape.Of(0)));

    [Test]
    public void AWindowOfTheWrongRankIsRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(3, 4)));

        GraphException error = Assert.Throws<GraphException>(
            () => b.ReduceWindow(x, b.Constant(DType.F32, 0), [new WindowDim(2)], ElementwiseTable.Add))!;

        Assert.That(error.Id, Is.EqualTo(DiagnosticId.BadWindow));
    }
}
