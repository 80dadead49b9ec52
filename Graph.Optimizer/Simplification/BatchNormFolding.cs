namespace Graphene.Optimizer;

/// <summary>Moves constant factors per output feature into the weights of the convolution or dot before them.</summary>
/// <remarks>
/// <code>
/// (convolution(x, w) + bias - mean) * factor + shift   =>   convolution(x, w * factor) + ((bias - mean) * factor + shift)
/// </code>
/// What batch normalization with fixed statistics becomes. Results change by rounding: the one such rule that is on by default,
/// because every inference compiler does it; <see cref="OptimizerOptions.FoldBatchNorm"/> turns it off. Only constants that vary
/// by feature move, and only into constant weights that nobody else reads.
/// </remarks>
public sealed class BatchNormFolding() : RewritePass("batch-norm-folding")
{
    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (!Context.Options.FoldBatchNorm || node.Types.Length != 1 || !node.DType.IsFloating())
        {
            return null;
        }
        return node switch
        {
            // y * factor, for y = hero and y = hero + offset
            { Op.Name: "multiply", Operands: [var y, var factor] } => Scale(b, y, factor),

            // (hero + c) + d => hero + (c + d), also where either is subtracted
            { Op.Name: "add" or "subtract", Operands: [{ Op.Name: "add" or "subtract" } inner, var d] } when UseCount(inner) == 1
                => MergeOffsets(b, node, inner, d),

            _ => null,
        };
    }

    private Node? Scale(GraphBuilder b, Node y, Node factor)
    {
        if (!IsPerFeature(factor) || UseCount(y) != 1)
        {
            return null;
        }
        if (y.Op is DotGeneralOp or ConvolutionOp)
        {
            return ScaleHero(b, y, factor);
        }
        // (hero + c) * f => (hero * f) + (c * f)
        bool isOffset = y is { Op.Name: "add" or "subtract", Operands: [{ Op: DotGeneralOp or ConvolutionOp } hero, var offset] } &&
            UseCount(hero) == 1 && IsConstantOffset(offset);
        return isOffset && ScaleHero(b, y.Operands[0], factor) is { } scaled
            ? b.Add(y.Op, scaled, b.Multiply(y.Operands[1], factor))
            : null;
    }

    private static Node? MergeOffsets(GraphBuilder b, Node node, Node inner, Node d)
    {
        (Node hero, Node c) = (inner.Operands[0], inner.Operands[1]);
        if (hero.Op is not (DotGeneralOp or ConvolutionOp) || !IsConstantOffset(c) || !IsConstantOffset(d))
        {
            return null;
        }
        bool adds = inner.Op.Name == "add";
        bool agree = inner.Op.Equals(node.Op);
        // hero + c + d,  hero + c - d,  hero - c - d = hero - (c + d),  hero - c + d = hero - (c - d)
        Node offset = agree ? b.Add(c, d) : b.Subtract(c, d);
        return adds ? b.Add(hero, offset) : b.Subtract(hero, offset);
    }

    private Node? ScaleHero(GraphBuilder b, Node hero, Node factor)
    {
        (Node x, Node weights) = (hero.Operands[0], hero.Operands[1]);
        if (weights.Op is not ConstantOp || UseCount(weights) != 1 ||
            factor is not { Op: BroadcastInDimOp broadcast, Operands: [var perFeature] })
        {
            return null;
        }
        if (FeatureAxes(hero) is not { } axes)
        {
            return null;
        }
        // Each dimension of the factor must be an output feature dimension; then it is a dimension of the weights.
        var places = new int[perFeature.Rank];
        for (int i = 0; i < places.Length; i++)
        {
            int axis = broadcast.BroadcastDimensions[i];
            if (!axes.TryGetValue(axis, out places[i]) && perFeature.Shape[i] != 1)
            {
                return null;
            }
        }
        bool isAscending = perFeature.Shape.All(d => d != 1) && perFeature.DType == weights.DType;
        return isAscending
            ? b.Add(hero.Op, x, b.Multiply(weights, b.BroadcastInDim(perFeature, weights.Shape, Axes.From(places))))
            : null;
    }

    // The output feature dimensions of a result, with the dimension of the weights that each comes from.
    private static Dictionary<int, int>? FeatureAxes(Node hero)
    {
        if (hero.Op is ConvolutionOp convolution)
        {
            return new() { [convolution.Dimensions.ResultFeature] = convolution.Dimensions.RhsOutputFeature };
        }
        var dot = (DotGeneralOp)hero.Op;
        Axes free = dot.RhsFree(hero.Operands[1].Rank);
        int first = hero.Rank - free.Count;
        return Enumerable.Range(0, free.Count).ToDictionary(i => first + i, i => free[i]);
    }

    // A constant vector broadcast along the other dimensions; not one number for everything.
    private static bool IsPerFeature(Node node) =>
        node is { Op: BroadcastInDimOp, Operands: [{ Op: ConstantOp, Rank: > 0 }] } && Splats.ValueOf(node) is null;

    private static bool IsConstantOffset(Node node) => IsPerFeature(node) || Splats.ValueOf(node) is not null;
}
