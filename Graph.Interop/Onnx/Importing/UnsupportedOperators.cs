namespace Graphene.Interop.Onnx.Importing;

/// <summary>Collects what a model needs and the importer lacks, to report it all at once.</summary>
internal sealed class UnsupportedOperators
{
    private const int NamesShown = 4;

    private readonly SortedDictionary<string, List<string>> _found = new(StringComparer.Ordinal);

    /// <summary>True when nothing is missing.</summary>
    public bool IsEmpty => _found.Count == 0;

    /// <summary>The operators with the names of their nodes.</summary>
    public IReadOnlyList<UnsupportedOperator> List => [.. _found.Select(f => new UnsupportedOperator(f.Key, f.Value))];

    /// <summary>Notes a node.</summary>
    /// <param name="op">The operator, with domain and version when they matter.</param>
    /// <param name="node">The node's name.</param>
    public void Add(string op, string node)
    {
        if (!_found.TryGetValue(op, out List<string>? nodes))
        {
            nodes = [];
            _found.Add(op, nodes);
        }
        nodes.Add(node);
    }

    /// <summary>The one error about all of them.</summary>
    public GraphException Error(string file)
    {
        int nodes = _found.Values.Sum(n => n.Count);
        string operators = _found.Count == 1 ? "1 operator is" : $"{_found.Count} operators are";
        return new GraphException(
            OnnxDiagnosticIds.UnsupportedOperators,
            $"onnx: {operators} not supported ({nodes} node{(nodes == 1 ? "" : "s")})",
            file,
            string.Join("\n       ", _found.Select(Line)),
            "export the model without them, or as functions over standard operators");
    }

    private static string Line(KeyValuePair<string, List<string>> entry)
    {
        string names = string.Join(", ", entry.Value.Take(NamesShown).Select(GraphOrder.Shorten));
        return $"{entry.Key}: {entry.Value.Count}x ({names}{(entry.Value.Count > NamesShown ? ", ..." : "")})";
    }
}
