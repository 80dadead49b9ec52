using Graphene.Cli.Values;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

internal sealed class ToleranceTests
{
    private static readonly Tolerance OnePercent = new(1e-2, 0);

    [Test]
    public void ElementsWithinTheRelativePartAreEqual() =>
        Assert.That(OnePercent.Difference(Floats(100.9f, -50.4f), Floats(100f, -50f)), Is.Null);

    [Test]
    public void TheWorstElementIsNamed() =>
        Assert.That(
            OnePercent.Difference(Floats(102f, 60f), Floats(100f, 50f)),
            Is.EqualTo("2 of 2 elements differ, most at [1]: 60, expected 50"));

    [Test]
    public void NaNEqualsNaNAndNothingElse()
    {
        Assert.That(OnePercent.Difference(Floats(float.NaN), Floats(float.NaN)), Is.Null);
        Assert.That(OnePercent.Difference(Floats(float.NaN), Floats(1f)), Is.Not.Null);
        Assert.That(OnePercent.Difference(Floats(1f), Floats(float.NaN)), Is.Not.Null);
    }

    [Test]
    public void InfinitiesMustBeTheSame()
    {
        float inf = float.PositiveInfinity;

        Assert.That(OnePercent.Difference(Floats(inf), Floats(inf)), Is.Null);
        Assert.That(OnePercent.Difference(Floats(-inf), Floats(inf)), Is.Not.Null);
        Assert.That(OnePercent.Difference(Floats(1e30f), Floats(inf)), Is.Not.Null);
    }

    [Test]
    public void TheFractionOfTheLargestElementCounts()
    {
        var tolerance = new Tolerance(0, 0, OfLargest: 1e-3);

        Assert.That(tolerance.Difference(Floats(1000f, 0.9f), Floats(1000f, 0f)), Is.Null);
        Assert.That(tolerance.Difference(Floats(1000f, 1.1f), Floats(1000f, 0f)), Is.Not.Null);
    }

    [Test]
    public void IntegersMustBeEqual() =>
        Assert.That(
            new Tolerance(1, 1).Difference(Literal.From<int>([1, 2], 2), Literal.From<int>([1, 3], 2)), Does.Contain("[1]: 2, expected 3"));

    [Test]
    public void TypesAndShapesMustBeEqual()
    {
        Assert.That(OnePercent.Difference(Floats(1f), Literal.From<double>([1], 1)), Does.Contain("f32[1], expected f64[1]"));
        Assert.That(OnePercent.Difference(Floats(1f), Literal.From<float>([1f])), Does.Contain("expected f32[]"));
    }

    private static Literal Floats(params float[] values) => Literal.From<float>(values, values.Length);
}
