namespace Graphene.Optimizer;

/// <summary>Graph in, better graph out, with the same meaning.</summary>
public static class GraphOptimizer
{
    /// <summary>Runs the default pipeline.</summary>
    /// <param name="module">A verified module.</param>
    /// <param name="options">What the caller chose; the defaults change results by rounding only.</param>
    /// <exception cref="CompilerBugException">A pass failed or left a graph that does not verify.</exception>
    /// <exception cref="GraphException">GR1951: a pass was disabled that does not exist.</exception>
    public static Module Run(Module module, OptimizerOptions? options = null)
    {
        PassPipeline pipeline = Pipelines.Default();
        var context = new PassContext(options ?? OptimizerOptions.Default);
        RequirePasses(context.Options.Debug.DisabledPasses, pipeline.Passes.Select(p => p.Name));
        return pipeline.Run(module, context);
    }

    internal static void RequirePasses(IEnumerable<string> asked, IEnumerable<string> present)
    {
        string? unknown = asked.Except(present).FirstOrDefault();
        if (unknown is not null)
        {
            throw new GraphException(
                DiagnosticId.UnknownPass, $"there is no pass '{unknown}'", fix: $"choose from: {string.Join(", ", present.Distinct())}");
        }
    }
}
