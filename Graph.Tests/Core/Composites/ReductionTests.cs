using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class ReductionTests
{
    private static readonly Literal X = Noise([3, 4, 5], 7);

    [Test]
    public void MeansAndDeviationsAreThoseOfTheLoops()
    {
        double[][] rows = [.. X.ToDoubles().Chunk(5)];

        CompositeAssert.Elements(b => b.ReduceMean(b.Constant(X), [-1]), rows.Select(r => r.Average()));
        CompositeAssert.Elements(b => b.ReduceVariance(b.Constant(X), [-1]), rows.Select(Variance));
        CompositeAssert.Elements(
            b => b.ReduceStandardDeviation(b.Constant(X), [-1], correction: 1), rows.Select(r => Math.Sqrt(Variance(r) * 5 / 4)));
        CompositeAssert.Elements(b => b.ReduceL1(b.Constant(X), [-1]), rows.Select(r => r.Sum(Math.Abs)));
        CompositeAssert.Elements(b => b.ReduceL2(b.Constant(X), [-1]), rows.Select(r => Math.Sqrt(r.Sum(v => v * v))));
        CompositeAssert.Elements(b => b.ReduceLogSumExp(b.Constant(X), [-1]), rows.Select(r => Math.Log(r.Sum(Math.Exp))));
        CompositeAssert.Elements(b => b.ReduceProduct(b.Constant(X), [-1]), rows.Select(r => r.Aggregate(1.0, (p, v) => p * v)));
        CompositeAssert.Elements(b => b.ReduceMin(b.Constant(X), [-1]), rows.Select(r => r.Min()));
    }

    [Test]
    public void DimensionsAreKeptWhenAsked()
    {
        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.ReduceMean(b.Constant(X), [0, -1], keepDims: true)).Shape, Is.EqualTo(Shape.Of(1, 4, 1)));
            Assert.That(One(b => b.ReduceMean(b.Constant(X))).Shape, Is.EqualTo(Shape.Scalar));
        });
    }

    [Test]
    public void AVarianceOfLargeNumbersDoesNotCancel() =>
        CompositeAssert.Elements(b => b.ReduceVariance(b.Constant(F32([3], 10000, 10001, 10002))), [2.0 / 3]);

    [TestCase(float.NegativeInfinity, float.NegativeInfinity, double.NegativeInfinity)]
    [TestCase(float.PositiveInfinity, 1, double.PositiveInfinity)]
    [TestCase(1000, 1000, 1000.6931471805599)]
    public void LogSumExpBearsExtremes(float x, float y, double expected) =>
        Assert.That(One(b => b.ReduceLogSumExp(b.Constant(F32([2], x, y))))[0].AsDouble, Is.EqualTo(expected).Within(1e-4));

    [TestCase(false, 1, 3)]
    [TestCase(true, 4, 5)]
    public void TiesGoToTheFirstOrTheLast(bool last, long max, long min)
    {
        Literal x = F32([6], 1, 5, 2, 0, 5, 0);

        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.ArgMax(b.Constant(x), 0, lastOfEqual: last))[0].AsInteger, Is.EqualTo((Int128)max));
            Assert.That(One(b => b.ArgMin(b.Constant(x), 0, lastOfEqual: last))[0].AsInteger, Is.EqualTo((Int128)min));
        });
    }

    [Test]
    public void NaNIsTheExtreme()
    {
        Literal x = F32([4], 1, float.NaN, 5, float.NaN);

        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.ArgMax(b.Constant(x), 0))[0].AsInteger, Is.EqualTo((Int128)1));
            Assert.That(One(b => b.ArgMin(b.Constant(x), 0, lastOfEqual: true))[0].AsInteger, Is.EqualTo((Int128)3));
        });
    }

    [Test]
    public void TheLowestValueItselfHasAPosition() => Assert.That(
        One(b => b.ArgMax(b.Constant(F32([2], float.NegativeInfinity, float.NegativeInfinity)), 0))[0].AsInteger,
        Is.EqualTo((Int128)0));

    [Test]
    public void TruthValuesReduce()
    {
        Literal x = Literal.From<bool>([true, false, true, true], 2, 2);

        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.ReduceAll(b.Constant(x), [1])).As<bool>().ToArray(), Is.EqualTo(new[] { false, true }));
            Assert.That(One(b => b.ReduceAny(b.Constant(x), [0])).As<bool>().ToArray(), Is.EqualTo(new[] { true, true }));
        });
    }

    private static double Variance(double[] row) => row.Sum(v => (v - row.Average()) * (v - row.Average())) / row.Length;
}
