namespace Graphene.Codegen;

/// <summary>
/// An elementwise fusion over elements in a row whose number is passed by the caller: what fusions that differ in shapes only have in
/// common.
/// </summary>
/// <remarks>
/// <code>
/// f32[64,10] add(p0, broadcast(p1))   and   f32[10] add(p0, broadcast(p1))   =>   f32[elements] add(p0, broadcast(p1))
/// </code>
/// Tensors are either as large as the results, in the same order, or single elements. Each element is the same expression, so it has
/// the same bits.
/// </remarks>
/// <param name="Fusion">A loop fusion over <see cref="Count"/> elements, of parameters of its own.</param>
/// <param name="Elements">How many elements there are.</param>
internal sealed record FlatFusion(Node Fusion, Dim Elements)
{
    private const long MostElements = 1L << 40;

    /// <summary>The symbol that stands for the number of elements.</summary>
    public static DimSymbol Count { get; } = new("elements", 1, MostElements);

    /// <summary>The flat form of a fusion; null when it has none.</summary>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    public static FlatFusion? TryOf(Node fusion)
    {
        var op = (FusionOp)fusion.Op;
        Dim elements = op.Body.Results[0].Shape.ElementCount;
        if (op.Kind != FusionKind.Loop || elements == 1 || elements.Range is not { Min: >= 0, Max: <= MostElements })
        {
            return null;
        }
        var b = new GraphBuilder();
        var flat = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in op.Body.PostOrder())
        {
            if (Flatten(b, node, elements, flat) is not { } made)
            {
                return null;
            }
            flat.Add(node, made);
        }
        if (op.Body.Results.Any(r => flat[r].Rank == 0))
        {
            return null;
        }
        Computation body = b.Build(op.Body.Name, op.Body.Results.Select(r => flat[r]));
        var outside = new GraphBuilder();
        Node[] operands = [.. body.ParameterTypes.Select((type, i) => outside.Parameter(i, type))];
        return new FlatFusion(outside.Add(new FusionOp(FusionKind.Loop, body), operands), elements);
    }

    private static Node? Flatten(GraphBuilder b, Node node, Dim elements, Dictionary<Node, Node> flat)
    {
        bool isWhole = node.Types.Length == 1 && node.Shape.ElementCount == elements;
        if (!isWhole && (node.Types.Length != 1 || node.Shape.ElementCount != 1))
        {
            return null;
        }
        Shape shape = isWhole ? [Count] : [];
        return node.Op switch
        {
            ParameterOp parameter => b.Parameter(parameter.Number, new TensorType(node.DType, shape)),
            ConstantOp constant when constant.Value.IsSplat() => b.BroadcastInDim(
                b.Constant(Literal.Splat(TensorType.Scalar(node.DType), constant.Value[0])), shape, []),
            BroadcastInDimOp when flat[node.Operands[0]].Rank == 0 => b.BroadcastInDim(flat[node.Operands[0]], shape, []),
            ReshapeOp => flat[node.Operands[0]],
            { IsElementwise: true } => b.Add(node.Op, [.. node.Operands.Select(o => flat[o])]),
            _ => null,
        };
    }
}
