namespace Graphene.Optimizer;

/// <summary>Replaces composites by what they compute, so that simplification sees through names that others gave.</summary>
/// <remarks>Exact. <see cref="CompositeRecognition"/> finds again what a kernel exists for.</remarks>
public sealed class CompositeInlining() : RewritePass("composite-inlining")
{
    /// <inheritdoc/>
    protected override bool LooksFor(Op op) => op is CompositeOp;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node) => node switch
    {
        // composite(x) => its decomposition of x
        { Op: CompositeOp composite, Types.Length: 1 } => Inline(b, node, composite.Decomposition.Results[0]),

        // result i of composite(x) => result i of its decomposition of x
        { Op: GetTupleElementOp element, Operands: [{ Op: CompositeOp composite } call] }
            => Inline(b, call, composite.Decomposition.Results[element.Index]),

        _ => null,
    };

    private static Node Inline(GraphBuilder b, Node call, Node result)
    {
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in ((CompositeOp)call.Op).Decomposition.PostOrder())
        {
            map.Add(node, node.Op is ParameterOp p ? call.Operands[p.Number] : b.Add(node.Op, [.. node.Operands.Select(o => map[o])]));
        }
        return map[result];
    }
}
