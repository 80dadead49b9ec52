using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class NormalizationTests
{
    private const double Epsilon = 1e-3;
    private static readonly Literal X = Noise([2, 6, 3, 2], 5);
    private static readonly Literal Scale = Noise([6], 6);
    private static readonly Literal Bias = Noise([6], 7);

    [Test]
    public void LayerNormStandardizesTrailingAxes()
    {
        Literal x = Noise([4, 6], 1);

        CompositeAssert.Elements(
            b => b.LayerNorm(b.Constant(x), b.Constant(Scale), b.Constant(Bias), epsilon: Epsilon),
            CompositeAssert.Rows(x, row => Standard(row).Select((v, i) => (v * Scale[i].AsDouble) + Bias[i].AsDouble)));
        CompositeAssert.Elements(
            b => b.LayerNorm(b.Constant(X), axis: 1, epsilon: Epsilon), X.ToDoubles().Chunk(36).SelectMany(Standard));
    }

    [Test]
    public void RmsNormDividesByTheRootMeanSquare()
    {
        Literal x = Noise([4, 6], 1);

        CompositeAssert.Elements(
            b => b.RmsNorm(b.Constant(x), b.Constant(Scale), epsilon: Epsilon),
            CompositeAssert.Rows(x, row => row.Select(
                (v, i) => v / Math.Sqrt((row.Sum(e => e * e) / row.Length) + Epsilon) * Scale[i].AsDouble)));
    }

    [Test]
    public void BatchNormUsesTheGivenStatistics()
    {
        Literal mean = Noise([6], 8);
        Literal variance = F32([6], 1, 2, 3, 4, 5, 0);

        CompositeAssert.Elements(
            b => b.BatchNormInference(
                b.Constant(X), b.Constant(Scale), b.Constant(Bias), b.Constant(mean), b.Constant(variance), Epsilon),
            IndexSpace.Of([2, 6, 3, 2]).Select(at =>
                ((X[at].AsDouble - mean[at[1]].AsDouble) / Math.Sqrt(variance[at[1]].AsDouble + Epsilon) * Scale[at[1]].AsDouble)
                + Bias[at[1]].AsDouble));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(6)]
    public void GroupNormStandardizesGroupsOfFeatures(int groups) => CompositeAssert.Elements(
        b => b.GroupNorm(b.Constant(X), groups, b.Constant(Scale), b.Constant(Bias), Epsilon),
        X.ToDoubles().Chunk(36 / groups).SelectMany(Standard).Select(
            (v, i) => (v * Scale[i / 6 % 6].AsDouble) + Bias[i / 6 % 6].AsDouble));

    [Test]
    public void InstanceNormIsAGroupPerFeature() => CompositeAssert.Elements(
        b => b.InstanceNorm(b.Constant(X), b.Constant(Scale), b.Constant(Bias), Epsilon),
        One(b => b.GroupNorm(b.Constant(X), 6, b.Constant(Scale), b.Constant(Bias), Epsilon)).ToDoubles());

    [Test]
    public void VectorsGetLengthOne()
    {
        Literal x = F32([2, 2], 3, 4, 0, 0);

        Assert.That(Floats(b => b.LpNormalize(b.Constant(x), epsilon: 1e-12)), Is.EqualTo(new float[] { 0.6f, 0.8f, 0, 0 }));
        CompositeAssert.Elements(b => b.LpNormalize(b.Constant(F32([2], 3, -1)), order: 1), [0.75, -0.25]);
    }

    [Test]
    public void FeaturesThatDoNotDivideIntoGroupsAreRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Constant(X);

        Assert.That(
            Assert.Throws<GraphException>(() => b.GroupNorm(x, 4))!.Message,
            Does.StartWith("GR1009 group_norm: 6 features of f32[2,6,3,2] cannot be cut into 4 groups"));
    }

    private static IEnumerable<double> Standard(double[] group)
    {
        double mean = group.Average();
        double variance = group.Sum(v => (v - mean) * (v - mean)) / group.Length;
        return group.Select(v => (v - mean) / Math.Sqrt(variance + Epsilon));
    }
}
