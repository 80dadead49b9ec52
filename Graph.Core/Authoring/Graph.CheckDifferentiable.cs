using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Tells beforehand what a gradient would meet.</content>
public sealed partial class Graph
{
    /// <summary>All that stands between a result and its gradients: ops without a rule, and what it does not depend on.</summary>
    /// <param name="y">The result.</param>
    /// <param name="xs">What it would be differentiated by.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>Empty when the gradients can be had.</returns>
    public IReadOnlyList<GradientObstacle> CheckDifferentiable(
        Tensor y, IReadOnlyList<Tensor> xs, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), [y], xs, []);
        var obstacles = new List<GradientObstacle>(GradientObstacles.Find(sources.Ys, [.. sources.Xs.SelectMany(x => x)]));
        for (int i = 0; i < sources.Xs.Count; i++)
        {
            if (!sources.Ys.Any(new ActiveNodes(sources.Ys, sources.Xs[i]).Contains))
            {
                GraphException error = sources.Unconnected(i);
                obstacles.Add(new GradientObstacle(error.Id, $"{error.What}: {error.Why}", []));
            }
        }
        return obstacles;
    }
}
