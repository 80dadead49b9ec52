using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class ScanAndSortTests
{
    [TestCase(false, false, new float[] { 1, 3, 6, 10, 15, 21, 28 })]
    [TestCase(true, false, new float[] { 0, 1, 3, 6, 10, 15, 21 })]
    [TestCase(false, true, new float[] { 28, 27, 25, 22, 18, 13, 7 })]
    [TestCase(true, true, new float[] { 27, 25, 22, 18, 13, 7, 0 })]
    public void RunningSums(bool exclusive, bool reverse, float[] expected) => Assert.That(
        Floats(b => b.CumSum(b.Constant(Ramp([7], 1, 1)), 0, exclusive, reverse)), Is.EqualTo(expected));

    [Test]
    public void OtherScansHaveTheirOwnNeutralElement()
    {
        Literal x = F32([4], 2, 3, 1, 4);

        Assert.Multiple(() =>
        {
            Assert.That(Floats(b => b.CumProd(b.Constant(x), 0)), Is.EqualTo(new float[] { 2, 6, 6, 24 }));
            Assert.That(Floats(b => b.CumProd(b.Constant(x), 0, exclusive: true)), Is.EqualTo(new float[] { 1, 2, 6, 6 }));
            Assert.That(Floats(b => b.CumMax(b.Constant(x), 0)), Is.EqualTo(new float[] { 2, 3, 3, 4 }));
            Assert.That(Floats(b => b.CumMin(b.Constant(x), 0, reverse: true)), Is.EqualTo(new float[] { 1, 1, 1, 4 }));
        });
    }

    [Test]
    public void AMiddleAxisIsScannedForItself()
    {
        Literal x = Noise([2, 5, 3], 3);

        CompositeAssert.Elements(
            b => b.CumSum(b.Constant(x), 1),
            IndexSpace.Of([2, 5, 3]).Select(at => Enumerable.Range(0, (int)at[1] + 1).Sum(k => x[[at[0], k, at[2]]].AsDouble)));
    }

    [TestCase(false, 1)]
    [TestCase(true, 1)]
    [TestCase(false, 6)]
    [TestCase(true, 6)]
    [TestCase(false, 17)]
    [TestCase(true, 17)]
    public void ASymbolicLengthIsScannedInALoop(bool reverse, int length)
    {
        Dim n = Dim.Symbol("n");
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [2, n]));
        var module = new Module("m", b.Build("m", [b.CumSum(x, 1, reverse: reverse)]), ["x"], ["y"], b.Provenance);
        Literal value = Ramp([2, length], 1, 1);

        Computation fixedLength = Specialization.Apply(module, new Dictionary<string, long> { ["n"] = length }).Entry;

        Assert.That(
            Evaluator.Evaluate(fixedLength, [value])[0], Is.EqualTo(One(c => c.CumSum(c.Constant(value), 1, reverse: reverse))));
    }

    [Test]
    public void TopKGivesTheBestFirstAndTheEarlierOfEquals()
    {
        Literal x = F32([2, 5], 3, 1, 3, 5, 2, -1, float.NaN, -3, -1, 0);
        Literal[] largest = All(b => Pair(b.TopK(b.Constant(x), 3)));
        Literal[] smallest = All(b => Pair(b.TopK(b.Constant(x), 3, largest: false)));

        Assert.Multiple(() =>
        {
            Assert.That(largest[0].As<float>().ToArray(), Is.EqualTo(new[] { 5, 3, 3, float.NaN, 0, -1 }));
            Assert.That(largest[1].As<long>().ToArray(), Is.EqualTo(new long[] { 3, 0, 2, 1, 4, 0 }));
            Assert.That(smallest[0].As<float>().ToArray(), Is.EqualTo(new float[] { 1, 2, 3, -3, -1, -1 }));
            Assert.That(smallest[1].As<long>().ToArray(), Is.EqualTo(new long[] { 1, 4, 0, 2, 0, 3 }));
        });
    }

    [Test]
    public void SortingKeepsTheOrderOfEquals()
    {
        Literal x = I32([6], 2, 1, 2, 0, 1, 2);

        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.SortValues(b.Constant(x))).As<int>().ToArray(), Is.EqualTo(new[] { 0, 1, 1, 2, 2, 2 }));
            Assert.That(
                All(b => Pair(b.SortWithPositions(b.Constant(x), 0, descending: true)))[1].As<long>().ToArray(),
                Is.EqualTo(new long[] { 0, 2, 5, 1, 4, 3 }));
        });
    }

    [Test]
    public void MoreThanThereAreCannotBeTaken()
    {
        var b = new GraphBuilder();
        Node x = b.Constant(F32([2], 1, 2));

        Assert.That(
            Assert.Throws<GraphException>(() => b.TopK(x, 3))!.Message,
            Does.StartWith("GR1009 top_k: cannot take 3 of 2 elements of f32[2] along axis 0"));
    }

    private static Node[] Pair((Node, Node) pair) => [pair.Item1, pair.Item2];
}
