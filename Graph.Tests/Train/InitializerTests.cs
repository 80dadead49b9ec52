using Graphene.Tests.Core.Authoring;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

internal sealed class InitializerTests
{
    private static readonly TensorType Matrix = new(DType.F32, [100, 200]);

    [Test]
    public void EqualKeysGiveEqualBitsAndOthersDoNot()
    {
        foreach (Initializer initializer in new[]
        {
            Initializers.GlorotUniform, Initializers.HeNormal, Initializers.RandomNormal(), Initializers.Orthogonal(),
        })
        {
            Literal first = initializer.Create(Matrix, 1);

            Assert.That(initializer.Create(Matrix, 1), Is.EqualTo(first));
            Assert.That(initializer.Create(Matrix, 2), Is.Not.EqualTo(first));
        }
    }

    [Test]
    public void TheFirstWordsAreThoseOfRandomBits()
    {
        var graph = new Graph();
        (_, Tensor uniform) = graph.RandomUniform(graph.Constant<ulong>([9, 0]), [8]);
        double[] values = new TestSession(graph).Run([uniform])[0].ToDoubles();
        var stream = new RandomNumbers(9);

        Assert.That(values, Is.EqualTo(Enumerable.Range(0, 8).Select(_ => (stream.NextWord() >> 8) * Math.ScaleB(1, -24))));
    }

    [Test]
    public void ConstantsAreConstant()
    {
        Assert.That(Initializers.Zeros.Create(Matrix, 1).ToDoubles(), Is.All.Zero);
        Assert.That(Initializers.Ones.Create(Matrix, 1).ToDoubles(), Is.All.EqualTo(1));
        Assert.That(Initializers.Constant(0.5).Create(Matrix, 1).ToDoubles(), Is.All.EqualTo(0.5));
    }

    // 20,000 numbers: the deviation of their mean is 1/141 of theirs.
    [Test]
    public void VariancesFollowTheFans()
    {
        Check(Initializers.GlorotUniform, 2.0 / 300, Math.Sqrt(6.0 / 300));
        Check(Initializers.GlorotNormal, 2.0 / 300, 2 * Math.Sqrt(2.0 / 300) / 0.8796);
        Check(Initializers.HeUniform, 2.0 / 100, Math.Sqrt(6.0 / 100));
        Check(Initializers.HeNormal, 2.0 / 100, 2 * Math.Sqrt(2.0 / 100) / 0.8796);
        Check(Initializers.RandomUniform(-1, 1), 1.0 / 3, 1);
        Check(Initializers.RandomNormal(0, 2), 4, 12);
        Check(Initializers.TruncatedNormal(0, 1), 0.8796 * 0.8796, 2);
    }

    [Test]
    public void AKernelCountsItsWindow()
    {
        double[] values = Initializers.GlorotUniform.Create(new TensorType(DType.F32, [3, 3, 16, 32]), 1).ToDoubles();

        Assert.That(values.Max(), Is.LessThanOrEqualTo(Math.Sqrt(6.0 / (9 * 48))).And.GreaterThan(0.99 * Math.Sqrt(6.0 / (9 * 48))));
    }

    [TestCase(20, 30)]
    [TestCase(30, 20)]
    [TestCase(1, 5)]
    public void OrthogonalRowsOrColumnsHaveLengthOne(int rows, int columns)
    {
        double[] q = Initializers.Orthogonal(2).Create(new TensorType(DType.F64, [rows, columns]), 3).ToDoubles();
        int count = Math.Min(rows, columns);
        double Element(int vector, int i) => rows <= columns ? q[(vector * columns) + i] : q[(i * columns) + vector];

        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < count; j++)
            {
                double product = Enumerable.Range(0, Math.Max(rows, columns)).Sum(at => Element(i, at) * Element(j, at));
                Assert.That(product, Is.EqualTo(i == j ? 4 : 0).Within(1e-14));
            }
        }
    }

    private static void Check(Initializer initializer, double variance, double limit)
    {
        double[] values = initializer.Create(Matrix, 1).ToDoubles();
        double mean = values.Average();

        Assert.That(mean, Is.EqualTo(0).Within(4 * Math.Sqrt(variance / values.Length)));
        Assert.That(values.Average(x => (x - mean) * (x - mean)), Is.EqualTo(variance).Within(0.05 * variance));
        Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(limit * 1.001));
    }
}
