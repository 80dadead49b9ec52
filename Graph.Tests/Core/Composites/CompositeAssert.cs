using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

/// <summary>Compares composites with plain loops over doubles.</summary>
internal static class CompositeAssert
{
    public static void Elements(Func<GraphBuilder, Node> build, IEnumerable<double> expected, double tolerance = 1e-5) =>
        Elements(One(build), expected, tolerance);

    public static void Elements(Literal actual, IEnumerable<double> expected, double tolerance = 1e-5)
    {
        double[] want = [.. expected];
        double[] have = actual.ToDoubles();
        Assert.That(have, Has.Length.EqualTo(want.Length), $"{actual.Type}");
        for (int i = 0; i < want.Length; i++)
        {
            Assert.That(
                have[i], Is.EqualTo(want[i]).Within(tolerance * Math.Max(1, Math.Abs(want[i]))), $"element {i} of {actual.Type}");
        }
    }

    /// <summary>Applies a function to each row of the last dimension.</summary>
    public static IEnumerable<double> Rows(Literal x, Func<double[], IEnumerable<double>> row) =>
        x.ToDoubles().Chunk((int)x.Shape[^1].Value).SelectMany(row);
}
