namespace Graphene.Optimizer;

/// <summary>The parts of an attention composite's decomposition; whoever has a kernel for it starts here.</summary>
/// <remarks>
/// <code>
/// products = dot(query, key);  scores = f(products, ...);  weights = softmax(scores);  context = dot(weights, value)
/// result = context, or a transpose of it
/// </code>
/// The last dimension of products, scores and weights counts keys. Query, key and value are parameters, or slices of parameters
/// under another shape, so each of their elements lies at a sum of counters times strides. f is elementwise in the scores.
/// Element types are f32 or f64, and the sizes of a query and of a value are numbers.
/// </remarks>
/// <param name="Result">The result.</param>
/// <param name="Context">The second dot; its left operand is the weights, with keys contracted.</param>
/// <param name="Scores">What softmax is applied to.</param>
/// <param name="Products">The first dot.</param>
public sealed record AttentionForm(Node Result, Node Context, Node Scores, Node Products)
{
    /// <summary>The kind of the composite.</summary>
    public const string Kind = "attention";

    /// <summary>Finds the parts; null when the computation has not this form.</summary>
    public static AttentionForm? TryParse(Computation decomposition)
    {
        if (decomposition.Results is not [var result])
        {
            return null;
        }
        Node context = result.Op is TransposeOp ? result.Operands[0] : result;
        if (context.Op is not DotGeneralOp { ResultType: DType.F32 or DType.F64 } weighted || weighted.ResultType != context.Operands[0].DType ||
            SoftmaxPattern.TryMatch(context.Operands[0]) is not { } softmax)
        {
            return null;
        }
        Node[] dots = [.. decomposition.PostOrder().Where(n => n.Op is DotGeneralOp && !ReferenceEquals(n, context))];
        return dots is [var products] && products.Shape.Equals(softmax.Scores.Shape) && IsProduct(products, context.DType) &&
            IsProduct(context, context.DType) && weighted.LhsContracting.SequenceEqual([products.Rank - 1])
            ? new AttentionForm(result, context, softmax.Scores, products)
            : null;
    }

    private static bool IsProduct(Node node, DType type)
    {
        var op = (DotGeneralOp)node.Op;
        return op.ResultType == type && node.Operands.All(o => o.DType == type) && op.LhsContracting.Count == 1 &&
            op.RhsFree(node.Operands[1].Rank).Count == 1;
    }
}
