namespace Graphene.Codegen;

/// <summary>Lowers an op that the optimizer never fuses as a fusion of its own.</summary>
internal static class ElementFusion
{
    /// <summary>What lowering makes of the fusion, on the operands and results of the op.</summary>
    /// <param name="name">The fusion's name.</param>
    /// <param name="node">A node whose op has an element form.</param>
    /// <param name="lower">Lowers the fusion.</param>
    public static LoweredKernel Lower(string name, Node node, Func<Node, LoweredKernel> lower)
    {
        Node fusion = Of(name, node);
        return lower(fusion).With(fusion, node);
    }

    /// <summary>The same where lowering may decline or make several kernels.</summary>
    public static IReadOnlyList<LoweredKernel>? Lower(string name, Node node, Func<Node, IReadOnlyList<LoweredKernel>?> lower)
    {
        Node fusion = Of(name, node);
        return lower(fusion) is { } kernels ? [.. kernels.Select(k => k.With(fusion, node))] : null;
    }

    /// <summary>A fusion of one op.</summary>
    public static Node Of(string name, Node node)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. node.Operands.Select((o, i) => b.Parameter(i, o.Type))];
        Computation body = b.Build(name, b.Results(b.Add(node.Op, parameters)));
        return new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
    }
}
