using Graphene.Cli.Values;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

internal sealed class RandomValueTests
{
    private static readonly TensorType Floats = new(DType.F32, Shape.Of(64, 64));

    [Test]
    public void TheSameSeedGivesTheSameBits() =>
        Assert.That(RandomValue.Generate(Floats, 7, 0), Is.EqualTo(RandomValue.Generate(Floats, 7, 0)));

    [Test]
    public void SeedsAndInputsDiffer()
    {
        Assert.That(RandomValue.Generate(Floats, 8, 0), Is.Not.EqualTo(RandomValue.Generate(Floats, 7, 0)));
        Assert.That(RandomValue.Generate(Floats, 7, 1), Is.Not.EqualTo(RandomValue.Generate(Floats, 7, 0)));
    }

    [Test]
    public void FloatsFillTheirRange()
    {
        float[] values = RandomValue.Generate(Floats, 1, 0).As<float>().ToArray();

        Assert.That(values.Min(), Is.InRange(-1f, -0.99f));
        Assert.That(values.Max(), Is.InRange(0.99f, 0.9999999f));
        Assert.That(values.Average(), Is.EqualTo(0).Within(0.05));
    }

    [Test]
    public void IntegersAreDigits()
    {
        long[] values = RandomValue.Generate(new TensorType(DType.I64, Shape.Of(1000)), 1, 0).As<long>().ToArray();

        Assert.That(values.Distinct().Order(), Is.EqualTo(Enumerable.Range(0, 10)));
    }
}
