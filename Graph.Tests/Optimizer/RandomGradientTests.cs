using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Gradients of random graphs are graphs like others: verified, and the same bits when optimized.</summary>
/// <remarks><c>GRAPHENE_RANDOM_GRAPHS=2000</c> looks at so many graphs instead of a few.</remarks>
[TestFixture]
public sealed class RandomGradientTests
{
    private static readonly OptimizerOptions Exact = new() { FoldBatchNorm = false, Verify = true };

    private const int SeedsPerTest = 10;

    private static IEnumerable<int> FirstSeeds => Enumerable.Range(
        0, (int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_RANDOM_GRAPHS"), out int count) ? count : 40) / SeedsPerTest)
        .Select(i => 1 + (i * SeedsPerTest));

    [TestCaseSource(nameof(FirstSeeds))]
    public void OptimizedGradientsGiveTheSameBits(int firstSeed)
    {
        int compared = 0;
        for (int seed = firstSeed; seed < firstSeed + SeedsPerTest; seed++)
        {
            // Nothing in a graph may have a gradient, or something may refuse one.
            if (Gradient(RandomGraph.Generate(seed)) is { } gradient)
            {
                TestContext.Out.WriteLine($"seed {seed}");
                Assert.That(Verifier.Check(gradient), Is.Empty);
                Module optimized = GraphOptimizer.Run(gradient, Exact);
                Optimizing.AssertSameResults(gradient, optimized, seed);
                compared++;
            }
        }
        Assert.That(compared, Is.GreaterThanOrEqualTo(SeedsPerTest / 2), "graphs with a gradient");
    }

    private static Module? Gradient(Module module)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. module.Entry.Parameters.Select((p, i) => b.Parameter(i, p.Type))];
        Node[] ys = [.. ComputationCloner.Inline(module.Entry, b, parameters).Results.Where(r => r.DType.IsFloating())];
        try
        {
            Node[] found =
            [
                .. ReverseMode.Run(
                    b, ys, [.. ys.Select(y => b.Splat(y.DType, y.Shape, 1))],
                    [.. parameters.Where(p => p.DType.IsFloating())])
                    .OfType<Node>(),
            ];
            return found.Length == 0 ? null : module with
            {
                Entry = b.Build("gradients", found),
                OutputNames = [.. found.Select((_, i) => $"gradient{i}")],
                Provenance = b.Provenance,
            };
        }
        catch (GraphException e) when (e.Id == DiagnosticId.NotDifferentiable)
        {
            return null;
        }
    }
}
