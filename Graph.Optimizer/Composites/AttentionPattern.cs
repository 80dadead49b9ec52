using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Attention as exporters decompose it, and the composite that takes its place.</summary>
/// <remarks>
/// <code>
/// s = dot(q, k);  x = f(s, mask);  p = softmax x;  y = dot(p, v)     between reshapes, transposes and unit dimensions
///   =>  y = composite(q, k, v, mask)
/// </code>
/// Nothing between the dots may be used elsewhere: it will not be in memory. The decomposition has no dimensions of size 1, and
/// reads q, k and v as they lie in memory; <see cref="AttentionForm"/> says what else holds for it. The value stays the same to the
/// bit: all steps are there, in their order.
/// </remarks>
internal sealed class AttentionPattern
{
    private const int MaxNodes = 48;
    private const long MaxHeadSize = 1024;

    private readonly Node _context;
    private readonly SoftmaxPattern _softmax;
    private readonly List<Node> _inside;

    private AttentionPattern(Node context, SoftmaxPattern softmax)
    {
        _context = context;
        _softmax = softmax;
        _inside = [.. softmax.Nodes];
    }

    /// <summary>The composite for a dot that multiplies attention weights with values; null when it is none.</summary>
    /// <param name="b">Makes the composite.</param>
    /// <param name="node">Any node.</param>
    /// <param name="useCount">How often a node is used.</param>
    /// <param name="allowsHalf">Whether operands may be f16 or bf16.</param>
    public static Node? TryRewrite(GraphBuilder b, Node node, Func<Node, int> useCount, bool allowsHalf)
    {
        DType type = node.Op is DotGeneralOp ? node.Operands[0].DType : DType.Bool;
        if (node.Op is not DotGeneralOp || !(type is DType.F32 or DType.F64 || (allowsHalf && IsHalf(type))))
        {
            return null;
        }
        var between = new List<Node>();
        Node weights = SkipReshapes(node.Operands[0], between);
        Node wide = AttentionForm.WithoutRounding(weights);
        if (!ReferenceEquals(wide, weights))
        {
            between.Add(weights);
            wide = SkipReshapes(wide, between);
        }
        if (SoftmaxPattern.TryMatch(wide) is not { } softmax)
        {
            return null;
        }
        var pattern = new AttentionPattern(node, softmax);
        pattern._inside.AddRange(between);
        foreach (Node products in pattern.Products())
        {
            if (pattern.TryBuild(b, products, useCount) is { } built)
            {
                return built;
            }
        }
        return null;
    }

    // Dots as large as the scores that elementwise work leads to.
    private IEnumerable<Node> Products()
    {
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance) { _softmax.Scores };
        var pending = new Queue<Node>(seen);
        while (seen.Count <= MaxNodes && pending.TryDequeue(out Node? node))
        {
            if (node.Op is DotGeneralOp && node.Operands[0].DType == _context.Operands[0].DType)
            {
                yield return node;
            }
            else if (node.Op.IsElementwise || node.Op is ReshapeOp)
            {
                foreach (Node operand in node.Operands.Where(o => o.Rank > 0 && seen.Add(o)))
                {
                    pending.Enqueue(operand);
                }
            }
        }
    }

    private Node? TryBuild(GraphBuilder b, Node products, Func<Node, int> useCount)
    {
        if (AttentionProduct.Of(products) is not { } scored || AttentionProduct.Of(_context) is not { } weighted ||
            !IsHeadSize(scored.Depth) || !IsHeadSize(weighted.Right.Base[^1]))
        {
            return null;
        }
        var body = new DecompositionBuilder(b);
        Node query = scored.Left.Read(body.Inside, body.Parameter(scored.Left.Given(b)));
        Node key = scored.Right.Read(body.Inside, body.Parameter(scored.Right.Given(b)));
        Node value = weighted.Right.Read(body.Inside, body.Parameter(weighted.Right.Given(b)));
        Node inner = body.Inside.Add(scored.Op, query, key);
        if (!UnitDims.Without(_context.Operands[0].Shape).SequenceEqual(inner.Shape) ||
            !weighted.Op.LhsContracting.SequenceEqual([inner.Rank - 1]))
        {
            return null;
        }
        var scores = new AttentionScores(body, products, inner, MaxNodes);
        if (scores.Build(_softmax.Scores) is not { } x || !OnlyUsedInside(products, scores.Inside, useCount))
        {
            return null;
        }
        Node weights = body.Inside.Convert(SoftmaxPattern.Write(body.Inside, x), _context.Operands[0].DType);
        Node result = body.Inside.Add(weighted.Op, weights, value);
        Computation decomposition = body.Inside.Build("attention", [result]);
        return AttentionForm.TryParse(decomposition) is null
            ? null
            : b.Reshape(b.Composite(AttentionForm.Kind, decomposition, [.. body.Operands])[0], _context.Shape);
    }

    private static bool IsHalf(DType type) => type is DType.F16 or DType.BF16;

    private static bool IsHeadSize(Dim size) => size is { IsStatic: true, Value: <= MaxHeadSize };

    // The scores and weights are in no memory afterwards, so whoever else asks for one of them makes this no attention.
    private bool OnlyUsedInside(Node products, IEnumerable<Node> scores, Func<Node, int> useCount)
    {
        var inside = new HashSet<Node>(_inside.Concat(scores).Append(products), ReferenceEqualityComparer.Instance);
        var uses = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        foreach (Node operand in inside.Append(_context).SelectMany(n => n.Operands))
        {
            uses[operand] = uses.GetValueOrDefault(operand) + 1;
        }
        return inside.All(n => useCount(n) == uses.GetValueOrDefault(n));
    }

    private static Node SkipReshapes(Node node, List<Node> skipped)
    {
        for (; node is { Op: ReshapeOp, Operands: [var x] }; node = x)
        {
            skipped.Add(node);
        }
        return node;
    }
}

/// <summary>One of the two dots of attention, on operands as they lie in memory and without dimensions of size 1.</summary>
/// <param name="Op">The dot on those operands.</param>
/// <param name="Left">The left operand.</param>
/// <param name="Right">The right operand.</param>
/// <param name="Depth">The one dimension that is summed over.</param>
internal sealed record AttentionProduct(DotGeneralOp Op, OperandView Left, OperandView Right, Dim Depth)
{
    /// <summary>The product of a dot with one contracted and one free right dimension; null for any other.</summary>
    public static AttentionProduct? Of(Node node)
    {
        var op = (DotGeneralOp)node.Op;
        (Node left, Node right) = (node.Operands[0], node.Operands[1]);
        int[] leftBatch = UnitDims.Numbers(left.Shape, op.LhsBatch);
        int[] rightBatch = UnitDims.Numbers(right.Shape, op.RhsBatch);
        int[] leftDepth = UnitDims.Numbers(left.Shape, op.LhsContracting);
        int[] rightDepth = UnitDims.Numbers(right.Shape, op.RhsContracting);
        int[] rows = UnitDims.Numbers(left.Shape, op.LhsFree(left.Rank));
        if (leftDepth.Length != 1 || rightDepth.Length != 1 || leftBatch.Length != rightBatch.Length ||
            UnitDims.Numbers(right.Shape, op.RhsFree(right.Rank)).Length != 1)
        {
            return null;
        }
        // Free dimensions stand in the result in the order of the operand's dimensions.
        OperandView lhs = OperandView.Of(left, order => rows.Select(r => order[r]).SequenceEqual(rows.Select(r => order[r]).Order()));
        OperandView rhs = OperandView.Of(right, _ => true);
        return new AttentionProduct(
            new DotGeneralOp(
                Places(lhs, leftBatch), Places(rhs, rightBatch), Places(lhs, leftDepth), Places(rhs, rightDepth), op.ResultType),
            lhs, rhs, lhs.Base[lhs.Order[leftDepth[0]]]);
    }

    private static Axes Places(OperandView view, int[] numbers) => Axes.From(numbers.Select(n => view.Order[n]));
}
