namespace Graphene;

/// <content>Gradients: the derivative of each result by an element is a weight of that element.</content>
public sealed partial record ReduceOp
{
    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "sums, products, maxima and minima (a tie is shared equally) and positions of extremes; other bodies are refused");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        (Node x, Node initial) = (site.Node.Operands[0], site.Node.Operands[site.Node.Types.Length]);
        Weights weights = WeightsOf(b, site.Node) ?? throw site.Refuse(Unknown, Fix);
        Node cotangent = site.Cotangent(0);
        var result = new Node?[site.Node.Operands.Length];
        Node spread = b.BroadcastBack(cotangent, x.Shape, Dimensions);
        result[0] = weights.OfElements is { } w ? b.Multiply(spread, w) : spread;
        if (site.Needs(site.Node.Types.Length) && weights.OfInitial is { } ofInitial)
        {
            result[site.Node.Types.Length] = b.Total(b.Multiply(cotangent, b.BroadcastTo(ofInitial(), cotangent.Shape)));
        }
        return result;
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        GraphBuilder b = site.Builder;
        int n = site.Node.Types.Length;
        Weights weights = WeightsOf(b, site.Node) ?? throw site.Refuse(Unknown, Fix);
        Node? sum = null;
        if (site.Tangents[0] is { } tangent)
        {
            Node weighted = weights.OfElements is { } w ? b.Multiply(tangent, w) : tangent;
            sum = b.ReduceSum(weighted, [.. Dimensions], keepDims: false);
        }
        if (site.Tangents[n] is { } initial && weights.OfInitial is { } ofInitial)
        {
            Shape shape = site.Node.Types[0].Shape;
            sum = b.SumOrNull(sum, b.Multiply(b.BroadcastTo(initial, shape), b.BroadcastTo(ofInitial(), shape)));
        }
        var result = new Node?[n];
        result[0] = sum;
        return result;
    }

    private const string Unknown = "the body is none of the sums, products, maxima and minima that have a derivative here";

    private const string Fix = "write the reduction with those, or give it a gradient with CustomGradient";

    private Weights? WeightsOf(GraphBuilder b, Node node)
    {
        if (node.Types.Length == 2)
        {
            return IsPositionOfExtreme(node) ? new Weights(MaskOfPosition(b, node), null) : null;
        }
        ElementwiseFn? fn = node.Types.Length == 1 ? ReductionBody.FunctionOf(Body) : null;
        return fn == ElementwiseTable.Add ? new Weights(null, () => b.Constant(node.DType, 1))
            : fn == ElementwiseTable.Multiply ? WeightsOfProduct(b, node)
            : fn == ElementwiseTable.Maximum || fn == ElementwiseTable.Minimum ? WeightsOfExtreme(b, node)
            : null;
    }

    // The product of all others: of those before times of those behind, which is right with zeros among them.
    private Weights WeightsOfProduct(GraphBuilder b, Node node)
    {
        (Node x, Node initial) = (node.Operands[0], node.Operands[1]);
        Axes order = Axes.From([.. Dimensions.Complement(x.Rank), .. Dimensions]);
        Node moved = b.Transpose(x, order);
        Node lines = b.Reshape(moved, [.. node.Shape, Shape.From(Dimensions.Select(d => x.Shape[d])).ElementCount]);
        int last = lines.Rank - 1;
        Node others = b.Multiply(
            b.CumProd(lines, last, exclusive: true), b.CumProd(lines, last, exclusive: true, reverse: true));
        Node weights = b.Transpose(b.Reshape(others, moved.Shape), order.Inverse());
        return new Weights(
            b.Multiply(weights, b.BroadcastTo(initial, x.Shape)),
            () => b.Reduce(x, b.Constant(x.DType, 1), Dimensions, ElementwiseTable.Multiply));
    }

    private Weights WeightsOfExtreme(GraphBuilder b, Node node)
    {
        (Node x, Node initial) = (node.Operands[0], node.Operands[1]);
        Node isExtreme = b.Convert(b.Equal(x, b.BroadcastBack(node, x.Shape, Dimensions)), x.DType);
        Node ofInitial = b.Convert(b.Equal(node, b.BroadcastTo(initial, node.Shape)), x.DType);
        Node count = b.ReduceSum(isExtreme, [.. Dimensions], keepDims: false);

        // An infinity as the initial value takes part in no tie but one of infinities.
        bool isNeutral = Cotangents.IsSplat(initial, out Scalar value) && double.IsInfinity(value.AsDouble);
        count = isNeutral ? count : b.Add(count, ofInitial);
        return new Weights(
            b.Divide(isExtreme, b.BroadcastBack(count, x.Shape, Dimensions)), () => b.Divide(ofInitial, count));
    }

    private bool IsPositionOfExtreme(Node node)
    {
        DType type = node.Types[0].DType;
        return node.Types[1].DType == DType.I64 && (Finds(CompareDirection.GT) || Finds(CompareDirection.LT));

        bool Finds(CompareDirection better) => Body.Equals(ArgReductionComposites.Body(type, better, lastOfEqual: false)) ||
            Body.Equals(ArgReductionComposites.Body(type, better, lastOfEqual: true));
    }

    private Node MaskOfPosition(GraphBuilder b, Node node)
    {
        Node positions = node.Operands[1];
        Node picked = b.BroadcastBack(b.GetTupleElement(node, 1), positions.Shape, Dimensions);
        return b.Convert(b.Equal(positions, picked), node.Types[0].DType);
    }

    // Null stands for weights of 1 (of the elements) and of 0 (of the initial value).
    private sealed record Weights(Node? OfElements, Func<Node>? OfInitial);
}
