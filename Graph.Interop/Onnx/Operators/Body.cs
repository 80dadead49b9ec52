using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>A subgraph that was imported into a region of its own.</summary>
/// <param name="Region">The region.</param>
/// <param name="Parameters">The region's own parameters, one per input of the subgraph.</param>
/// <param name="Results">The subgraph's outputs.</param>
internal sealed record Body(Region Region, IReadOnlyList<Node> Parameters, IReadOnlyList<OnnxValue> Results)
{
    /// <summary>Imports a subgraph whose inputs become parameters.</summary>
    /// <param name="c">The node that carries it.</param>
    /// <param name="graph">The subgraph.</param>
    /// <param name="inputs">The types of its inputs.</param>
    public static Body Import(OperatorCall c, GraphProto graph, IReadOnlyList<(TensorType Type, OnnxDataType Element)> inputs)
    {
        var region = new Region(c.Region, c.B.Provenance);
        region.Builder.CurrentOrigin = c.B.CurrentOrigin;
        Node[] parameters = [.. inputs.Select(i => region.AddParameter(i.Type))];
        OnnxValue[] values = [.. parameters.Zip(inputs, (node, i) => OnnxValue.FromNode(region, node, i.Element))];
        var body = new Body(region, parameters, c.Importer.ImportSubgraph(graph, region, c, values));
        body.ResultNodes(); // outer values that are only handed on are captured by this
        return body;
    }

    /// <summary>The nodes of the results inside the region.</summary>
    public Node[] ResultNodes() => [.. Results.Select(Region.NodeOf)];

    /// <summary>Closes the region, returning the subgraph's outputs.</summary>
    public Computation Close(string name, IReadOnlyList<OnnxValue> captures) => Region.Close(name, ResultNodes(), captures);
}
