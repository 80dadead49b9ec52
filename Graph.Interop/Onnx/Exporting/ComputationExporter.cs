namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Writes the nodes of a computation, operands before users.</summary>
/// <param name="graph">Where operators are added.</param>
/// <param name="dims">Writes symbolic dims.</param>
/// <param name="failures">Collects nodes that have no form in ONNX.</param>
/// <param name="provenance">The origins of the nodes.</param>
internal sealed class ComputationExporter(
    GraphWriter graph, DimWriter dims, ExportFailures failures, ProvenanceTable provenance)
{
    /// <summary>Where operators are added.</summary>
    public GraphWriter Graph { get; } = graph;

    /// <summary>Writes symbolic dims.</summary>
    public DimWriter Dims { get; } = dims;

    /// <summary>Brings values into an order.</summary>
    public TensorPlacement Place { get; } = new(graph, dims);

    /// <summary>Begins the body of a loop or branch.</summary>
    public ComputationExporter Nested(string name) => new(Graph.Nested(name), Dims, failures, provenance);

    /// <summary>Writes what a computation does.</summary>
    /// <param name="computation">The computation.</param>
    /// <param name="arguments">The values of its parameters.</param>
    /// <returns>The values of its results.</returns>
    public StoredValue[] Inline(Computation computation, IReadOnlyList<StoredValue> arguments)
    {
        var values = new Dictionary<Node, StoredValue[]>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < arguments.Count; i++)
        {
            values.Add(computation.Parameters[i], [arguments[i]]);
        }
        string? prefix = Graph.Prefix;
        foreach (Node node in computation.PostOrder().Where(n => n.Op is not ParameterOp))
        {
            Graph.Prefix = provenance[node] is [var origin, ..] && (origin.Name ?? origin.Scope) is { } name ? name : prefix;
            values.Add(node, Export(node, values));
        }
        Graph.Prefix = prefix;
        return [.. computation.Results.Select(r => values[r][0])];
    }

    private StoredValue[] Export(Node node, Dictionary<Node, StoredValue[]> values)
    {
        if (node.Op is GetTupleElementOp element)
        {
            return [values[node.Operands[0]][element.Index]];
        }
        try
        {
            Action<ExportSite> export = ExportTable.Find(node.Op.Name)
                ?? throw new NoOnnxFormException("ONNX has nothing like it");
            // Only a tuple access reads a node with several results.
            var site = new ExportSite(this, node, [.. node.Operands.Select(o => values[o][0])]);
            export(site);
            return site.Results!;
        }
        catch (NoOnnxFormException e)
        {
            failures.Add(node.Op.Name, e.Message, provenance[node] is [var origin, ..] ? origin.ToString() : null);
            // The search goes on, for other nodes like this.
            return [.. node.Types.Select(type => StoredValue.Plain("", type))];
        }
    }
}
