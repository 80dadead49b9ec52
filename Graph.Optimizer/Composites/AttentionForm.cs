namespace Graphene.Optimizer;

/// <summary>The parts of an attention composite's decomposition; whoever has a kernel for it starts here.</summary>
/// <remarks>
/// <code>
/// products = dot(query, key);  scores = f(products, ...);  weights = softmax(scores);  context = dot(weights, value)
/// result = context, or a transpose of it
/// </code>
/// The last dimension of products, scores and weights counts keys. Query, key and value are parameters, or slices of parameters
/// under another shape, so each of their elements lies at a sum of counters times strides. f is elementwise in the scores.
/// Element types are f32 or f64, and the sizes of a query and of a value are numbers. Where
/// <see cref="OptimizerOptions.HalfAttention"/> allows it, query, keys and values may be f16 or bf16: products are of that type or f32,
/// the softmax is f32, and weights are converted to the type of the values.
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
        if (context.Op is not DotGeneralOp weighted || SoftmaxPattern.TryMatch(WithoutRounding(context.Operands[0])) is not { } softmax)
        {
            return null;
        }
        Node[] dots = [.. decomposition.PostOrder().Where(n => n.Op is DotGeneralOp && !ReferenceEquals(n, context))];
        return dots is [var products] && products.Shape.Equals(softmax.Scores.Shape) && IsProduct(products) && IsProduct(context) &&
            products.Operands[0].DType == context.Operands[0].DType && softmax.Scores.DType == SoftmaxType(context.Operands[0].DType) &&
            weighted.LhsContracting.SequenceEqual([products.Rank - 1])
            ? new AttentionForm(result, context, softmax.Scores, products)
            : null;
    }

    /// <summary>What is rounded to a type of 16 bits; the node itself when it is not.</summary>
    internal static Node WithoutRounding(Node node) =>
        node is { Op: ConvertOp { Type: DType.F16 or DType.BF16 }, Operands: [{ DType: DType.F32 } wide] } ? wide : node;

    /// <summary>The type of the softmax between two products of a type.</summary>
    internal static DType SoftmaxType(DType product) => product is DType.F16 or DType.BF16 ? DType.F32 : product;

    private static bool IsProduct(Node node)
    {
        var op = (DotGeneralOp)node.Op;
        DType type = node.Operands[0].DType;
        return type is DType.F16 or DType.BF16 or DType.F32 or DType.F64 && (op.ResultType == type || op.ResultType == SoftmaxType(type)) &&
            node.Operands[1].DType == type && op.LhsContracting.Count == 1 && op.RhsFree(node.Operands[1].Rank).Count == 1;
    }
}
