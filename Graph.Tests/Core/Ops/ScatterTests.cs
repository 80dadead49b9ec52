using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

internal sealed class ScatterTests
{
    [Test]
    public void TheSpecificationsExampleHolds()
    {
        Literal y = One(b => b.Scatter(
            b.Constant(Count(3, 4, 2)), b.Constant(I64([2, 3, 2], 0, 2, 1, 0, 2, 1, 0, 1, 1, 0, 0, 9)),
            b.Constant(Literal.Splat(new TensorType(DType.I64, Shape.Of(2, 3, 2, 2)), Number(1))),
            new ScatterDimensions([2, 3], [0], [], [], [1, 0], 2), ReductionBody.Of(ElementwiseTable.Add, DType.I64)));

        Assert.That(y.As<long>().ToArray(), Is.EqualTo(new long[]
            { 1, 2, 5, 6, 7, 8, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 21, 22, 23, 24 }));
    }

    [Test]
    public void BatchingDimensionsScatterEachSliceByItself()
    {
        Literal input = Count(2, 3, 4);
        Literal updates = Count(5, 2);
        Literal indices = I64([5, 2, 2], 0, 1, 2, 3, 1, 1, 0, 0, 2, 2, 2, 2, 0, 3, 1, 0, 9, 0, 0, 1);
        long[] expected = input.As<long>().ToArray();
        foreach (long[] at in IndexSpace.Of([5, 2]))
        {
            long row = (long)indices[[at[0], at[1], 0]].AsInteger;
            long column = (long)indices[[at[0], at[1], 1]].AsInteger;
            if (row < 3 && column < 4)
            {
                expected[(at[1] * 12) + (row * 4) + column] += updates.As<long>()[(int)((at[0] * 2) + at[1])];
            }
        }

        Literal y = One(b => b.Scatter(
            b.Constant(input), b.Constant(indices), b.Constant(updates),
            new ScatterDimensions([], [1, 2], [0], [1], [1, 2], 2), ReductionBody.Of(ElementwiseTable.Add, DType.I64)));

        Assert.That(y.As<long>().ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void RepeatedPlacesTakeUpdatesInOrderAndOutsideIsSkipped()
    {
        var b2 = new GraphBuilder();
        b2.Parameter(0, TensorType.Scalar(DType.F32));
        Computation last = b2.Build("last", [b2.Parameter(1, TensorType.Scalar(DType.F32))]);
        var dimensions = new ScatterDimensions([], [0], [], [], [0], 1);

        Literal y = One(b => b.Scatter(
            b.Constant(F32([4], 0, 0, 0, 0)), b.Constant(I32([5], 1, 3, 1, -1, 4)),
            b.Constant(F32([5], 1, 2, 3, 4, 5)), dimensions, last));

        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 0, 3, 0, 2 }));
    }

    [Test]
    public void AWindowThatReachesOverTheEdgeIsSkippedElementByElement()
    {
        var dimensions = new ScatterDimensions([0], [], [], [], [0], 0);

        Literal y = One(b => b.Scatter(
            b.Constant(F32([4], 0, 0, 0, 0)), b.Constant(I32([1], 2)), b.Constant(F32([3], 1, 2, 3)), dimensions,
            ReductionBody.Of(ElementwiseTable.Add, DType.F32)));

        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 0, 0, 1, 2 }));
    }

    [Test]
    public void UpdatesOverOtherPlacesThanTheIndicesAreRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Constant(F32([4], 0, 0, 0, 0));
        Node indices = b.Constant(I32([2], 0, 1));
        Node updates = b.Constant(F32([3], 0, 0, 0));

        GraphException error = Assert.Throws<GraphException>(() => b.Scatter(
            x, indices, updates, new ScatterDimensions([], [0], [], [], [0], 1), ReductionBody.Of(ElementwiseTable.Add, DType.F32)))!;

        Assert.That(error.Id, Is.EqualTo(DiagnosticId.BadScatter));
    }

    // 1, 2, 3, ...
    private static Literal Count(params ReadOnlySpan<long> shape)
    {
        long next = 1;
        return Literal.Generate(new TensorType(DType.I64, Shape.Of(shape)), _ => Number(next++));
    }

    private static Scalar Number(long value) => Scalar.FromInteger(DType.I64, value);
}
