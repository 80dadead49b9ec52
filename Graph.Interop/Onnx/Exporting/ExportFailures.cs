namespace Graphene.Interop.Onnx.Exporting;

/// <summary>The nodes of a graph that have no form in ONNX.</summary>
internal sealed class ExportFailures
{
    private const int Shown = 8;

    private readonly List<(string What, string? Where)> _all = [];

    /// <summary>Adds one.</summary>
    /// <param name="what">The op, or what else it is.</param>
    /// <param name="why">What about it has no form.</param>
    /// <param name="where">The user's line, when it is known.</param>
    public void Add(string what, string why, string? where) => _all.Add(($"{what}: {why}", where));

    /// <summary>Throws when there is any, naming all of them.</summary>
    /// <param name="module">The name of the graph.</param>
    /// <exception cref="GraphException">GR4015.</exception>
    public void ThrowIfAny(string module)
    {
        if (_all.Count == 0)
        {
            return;
        }
        (string What, int Count)[] kinds = [.. _all.GroupBy(f => f.What).Select(g => (g.Key, g.Count()))];
        string more = kinds.Length > Shown ? $"; and {kinds.Length - Shown} more" : "";
        string[] places = [.. _all.Select(f => f.Where).OfType<string>().Distinct().Take(Shown)];
        throw new GraphException(
            OnnxDiagnosticIds.NoOnnxForm,
            $"onnx: '{module}' cannot be exported, {_all.Count} {(_all.Count == 1 ? "node has" : "nodes have")} no ONNX form",
            places.Length == 0 ? null : string.Join("; ", places),
            string.Join("; ", kinds.Take(Shown).Select(k => k.Count == 1 ? k.What : $"{k.What} ({k.Count} nodes)")) + more,
            "export a graph that does without, for example predictions rather than a training step");
    }
}
