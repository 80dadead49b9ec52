using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class IndexingTests
{
    [Test]
    public void OneHotMarksOnePlacePerIndex()
    {
        Literal index = I64([3], 1, -1, 5);

        Assert.That(
            Floats(b => b.OneHot(b.Constant(index), 4, b.Constant(DType.F32, 9), b.Constant(DType.F32, 2))),
            Is.EqualTo(new float[] { 2, 9, 2, 2, 2, 2, 2, 9, 2, 2, 2, 2 }));
        Assert.That(
            One(b => b.OneHot(b.Constant(index), 4, b.Constant(DType.F32, 1), b.Constant(DType.F32, 0), axis: 0)).Shape,
            Is.EqualTo(Shape.Of(4, 3)));
    }

    [Test]
    public void WhereBroadcastsAllThree() => Assert.That(
        Floats(b => b.Where(
            b.Constant(Literal.From<bool>([true, false], 2, 1)), b.Constant(F32([2], 1, 2)), b.Constant(DType.F32, 7))),
        Is.EqualTo(new float[] { 1, 2, 7, 7 }));

    [TestCase(true, 0, new float[] { 1, 2, 3, 0, 5, 6 })]
    [TestCase(false, 0, new float[] { 1, 0, 0, 4, 5, 0 })]
    [TestCase(true, 1, new float[] { 0, 2, 3, 0, 0, 6 })]
    [TestCase(false, -1, new float[] { 0, 0, 0, 4, 0, 0 })]
    public void TrianglesKeepOneSideOfADiagonal(bool upper, int diagonal, float[] expected) => Assert.That(
        Floats(b => b.Triangle(b.Constant(Ramp([2, 3], 1, 1)), upper, b.Constant(DType.I64, diagonal))), Is.EqualTo(expected));

    [Test]
    public void TilesAndRepeatsAndEyes()
    {
        Assert.Multiple(() =>
        {
            Assert.That(
                Floats(b => b.Tile(b.Constant(F32([1, 2], 1, 2)), [2, 2])), Is.EqualTo(new float[] { 1, 2, 1, 2, 1, 2, 1, 2 }));
            Assert.That(
                Floats(b => b.RepeatElements(b.Constant(F32([2, 2], 1, 2, 3, 4)), 1, 2)),
                Is.EqualTo(new float[] { 1, 1, 2, 2, 3, 3, 4, 4 }));
            Assert.That(Floats(b => b.Eye(DType.F32, 2, 3, 1)), Is.EqualTo(new float[] { 0, 1, 0, 0, 0, 1 }));
            Assert.That(
                One(b => b.Range(b.Constant(DType.I32, 10), b.Constant(DType.I32, -3), 4)).As<int>().ToArray(),
                Is.EqualTo(new[] { 10, 7, 4, 1 }));
        });
    }

    [Test]
    public void SplittingAndJoiningAreInverse()
    {
        Literal x = Noise([2, 6], 1);

        Assert.That(One(b => b.Concatenate(b.Split(b.Constant(x), [1, 3, 2], -1), 1)), Is.EqualTo(x));
        Assert.That(
            One(b => b.Stack([.. b.Split(b.Constant(x), [3, 3], 1)], 1)).Shape, Is.EqualTo(Shape.Of(2, 2, 3)));
        Assert.That(One(b => b.Squeeze(b.ExpandDims(b.Constant(x), 1))), Is.EqualTo(x));
    }

    [Test]
    public void PartsThatDoNotFillTheAxisAreRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Constant(Noise([2, 6], 1));

        Assert.That(
            Assert.Throws<GraphException>(() => b.Split(x, [1, 3], 1))!.Message,
            Does.StartWith("GR1004 split: parts of 1, 3 make 4, axis 1 of f32[2,6] has 6"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void DepthMovesIntoSpace(bool columnRowDepth)
    {
        Literal x = Ramp([1, 8, 2, 3]);

        Literal y = One(b => b.DepthToSpace(b.Constant(x), 2, columnRowDepth));

        Assert.That(y.Shape, Is.EqualTo(Shape.Of(1, 2, 4, 6)));
        foreach (long[] at in IndexSpace.Of([1, 2, 4, 6]))
        {
            long within = ((at[2] % 2) * 2) + (at[3] % 2);
            long depth = columnRowDepth ? (at[1] * 4) + within : (within * 2) + at[1];
            Assert.That(y[at], Is.EqualTo(x[[0, depth, at[2] / 2, at[3] / 2]]));
        }
        if (!columnRowDepth)
        {
            Assert.That(One(b => b.SpaceToDepth(b.Constant(y), 2)), Is.EqualTo(x));
        }
    }
}
