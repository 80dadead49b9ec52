using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Tiles along one dimension: every result is in exactly one of them.</summary>
internal sealed class WinogradSpanTests
{
    [Test]
    public void EveryResultIsInOneTile([Values(2, 4)] int tile, [Range(1, 7)] int dilation)
    {
        for (int results = 1; results <= 60; results++)
        {
            var span = new WinogradSpan(results, tile, dilation);

            // Of results a dilation apart, every so many begin a tile.
            int[] first = [.. Enumerable.Range(0, results).Where(r => r / dilation % tile == 0)];
            Assert.That(span.Count, Is.EqualTo(first.Length), $"{results} results");
            Assert.That(span.Last, Is.EqualTo(first[^1]), $"{results} results");

            IEnumerable<int> covered = first.SelectMany(f => Enumerable.Range(0, tile).Select(i => f + (i * dilation))).Where(r => r < results);
            Assert.That(covered, Is.EquivalentTo(Enumerable.Range(0, results)), $"{results} results");
        }
    }
}
