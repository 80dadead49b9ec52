namespace Graphene;

/// <content>Gradients: a sum is spread by a window over the cotangent; an extreme gives it to the element that was picked.</content>
public sealed partial record ReduceWindowOp
{
    private const string Unknown = "the body is none of the sums, maxima and minima that have a derivative here";

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "sums, maxima and minima (of equal elements the first one is picked); other bodies are refused");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        Node x = site.Node.Operands[0];
        Node cotangent = site.Cotangent(0);
        ElementwiseFn fn = Function(site.Node) ?? throw site.Refuse(Unknown);
        if (fn == ElementwiseTable.Add)
        {
            return [Spread(b, x.Shape, cotangent), site.Needs(1) ? b.Total(b.Multiply(cotangent, InitialsInEach(b, site.Node))) : null];
        }
        CompareDirection better = fn == ElementwiseTable.Maximum ? CompareDirection.GT : CompareDirection.LT;
        if (site.Needs(1))
        {
            throw site.Refuse("the initial value of a maximum or minimum has no gradient", "make it a constant");
        }
        bool isPlain = Window.All(w => w.BaseDilation == 1 && w.Dilation == 1 && !w.Reversed);
        return isPlain
            ? [b.SelectAndScatter(
                x, cotangent, b.Constant(x.DType, 0), Window, SelectAndScatterOp.Keep(x.DType, better),
                ReductionBody.Of(ElementwiseTable.Add, x.DType)), null]
            : [WindowPositions.Put(b, cotangent, WindowPositions.Of(b, x, Window, better), x.Shape), null];
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        GraphBuilder b = site.Builder;
        Node x = site.Node.Operands[0];
        ElementwiseFn fn = Function(site.Node) ?? throw site.Refuse(Unknown);
        if (fn == ElementwiseTable.Add)
        {
            Node? ofElements = site.Tangents[0] is { } t ? b.ReduceWindow(t, b.Constant(t.DType, 0), Window, fn) : null;
            Node? ofInitial = site.Tangents[1] is { } initial
                ? b.Multiply(b.BroadcastTo(initial, site.Node.Shape), InitialsInEach(b, site.Node))
                : null;
            return [b.SumOrNull(ofElements, ofInitial)];
        }
        CompareDirection better = fn == ElementwiseTable.Maximum ? CompareDirection.GT : CompareDirection.LT;
        return site.Tangents[1] is not null
            ? throw site.Refuse("the initial value of a maximum or minimum has no gradient", "make it a constant")
            : [WindowPositions.Take(b, site.Tangent(0), WindowPositions.Of(b, x, Window, better))];
    }

    private ElementwiseFn? Function(Node node)
    {
        ElementwiseFn? fn = node.Types.Length == 1 ? ReductionBody.FunctionOf(Body) : null;
        return fn == ElementwiseTable.Add || fn == ElementwiseTable.Maximum || fn == ElementwiseTable.Minimum ? fn : null;
    }

    // Which windows see an element is again a window: over the cotangent, with stride and base dilation in each other's place.
    private Node Spread(GraphBuilder b, Shape shape, Node cotangent)
    {
        WindowDim[] window = [.. Window.Select((w, i) => w.Transposed(shape[i], cotangent.Shape[i]))];
        return b.ReduceWindow(cotangent, b.Constant(cotangent.DType, 0), window, ElementwiseTable.Add);
    }

    // A window starts with the initial value and finds it again wherever there is padding or a hole.
    private Node InitialsInEach(GraphBuilder b, Node node)
    {
        Node x = node.Operands[0];
        Node inside = b.ReduceWindow(b.Like(x, 1), b.Constant(x.DType, 0), Window, ElementwiseTable.Add);
        Dim size = Window.Aggregate((Dim)1, (product, w) => product * w.Size);
        Node places = b.Add(b.Convert(b.DimValue(size), x.DType), b.Constant(x.DType, 1));
        return b.Subtract(b.BroadcastTo(places, inside.Shape), inside);
    }
}
