namespace Graphene.Interop.Onnx.Exporting;

/// <summary>A node that is being exported: its operands in the file, and where its results go.</summary>
/// <param name="exporter">Exports the computation that the node belongs to.</param>
/// <param name="node">The node.</param>
/// <param name="operands">The operands' values.</param>
internal sealed class ExportSite(ComputationExporter exporter, Node node, StoredValue[] operands)
{
    /// <summary>The node.</summary>
    public Node Node { get; } = node;

    /// <summary>The operands' values.</summary>
    public StoredValue[] Operands { get; } = operands;

    /// <summary>Where operators are added.</summary>
    public GraphWriter Graph => exporter.Graph;

    /// <summary>Writes symbolic dims.</summary>
    public DimWriter Dims => exporter.Dims;

    /// <summary>Brings values into an order.</summary>
    public TensorPlacement Place => exporter.Place;

    /// <summary>The results, once they are set.</summary>
    public StoredValue[]? Results { get; private set; }

    /// <summary>An operand as a tensor of its own shape.</summary>
    public string Plain(int operand) => Place.Plain(Operands[operand]);

    /// <summary>Sets the only result: a tensor as the graph means it.</summary>
    public void Result(string name) => Result(StoredValue.Plain(name, Node.Type));

    /// <summary>Sets the only result: a tensor whose dimensions stand in another order.</summary>
    public void Result(string name, Axes order) => Result(StoredValue.InOrder(name, Node.Type, order));

    /// <summary>Sets the results.</summary>
    public void Result(params StoredValue[] results) => Results = results;

    /// <summary>Writes what a computation does, here.</summary>
    public StoredValue[] Inline(Computation computation, params StoredValue[] arguments) =>
        exporter.Inline(computation, arguments);

    /// <summary>Writes a computation as the body of a loop or branch.</summary>
    public ComputationExporter Nested(string name) => exporter.Nested(name);
}
