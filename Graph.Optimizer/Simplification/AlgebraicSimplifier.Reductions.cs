namespace Graphene.Optimizer;

// Reductions, windows, dots and convolutions: what surrounds them becomes part of their attributes.
public sealed partial class AlgebraicSimplifier
{
    private static Node? Reduce(GraphBuilder b, Node node, ReduceOp op)
    {
        int inputs = node.Operands.Length / 2;
        Node x = node.Operands[0];
        if (inputs != 1)
        {
            return null;
        }
        // Combining a single element with the initial value needs no loop.
        if (op.Dimensions.All(axis => x.Shape[axis] == 1))
        {
            return ReductionBody.FunctionOf(op.Body) is { } fn
                ? b.Elementwise(fn, b.BroadcastInDim(node.Operands[1], node.Shape, []), b.Reshape(x, node.Shape))
                : null;
        }
        return x switch
        {
            // reduce(transpose x) => reduce x, where neither the result nor the order of the elements changes
            { Op: TransposeOp transpose, Operands: [var source] } => ReduceOfTranspose(b, node, op, transpose, source),

            // reduce(reshape x), where the reshape only adds or removes dimensions of size 1 => reduce x
            { Op: ReshapeOp, Operands: [var source] } when LongDims(source.Shape).SequenceEqual(LongDims(x.Shape))
                => ReduceOfReshape(b, node, op, source, x.Shape),

            _ => null,
        };
    }

    private static Node? ReduceOfTranspose(GraphBuilder b, Node node, ReduceOp op, TransposeOp transpose, Node x)
    {
        int[] reduced = [.. op.Dimensions.Order().Select(axis => transpose.Permutation[axis])];
        int[] kept = [.. op.Dimensions.Complement(x.Rank).Select(axis => transpose.Permutation[axis])];
        bool keepsOrder = reduced.SequenceEqual(reduced.Order()) && kept.SequenceEqual(kept.Order());
        return keepsOrder ? b.Add(op with { Dimensions = Axes.From(reduced) }, x, node.Operands[1]) : null;
    }

    private static Node? ReduceOfReshape(GraphBuilder b, Node node, ReduceOp op, Node source, Shape reshaped)
    {
        // The place of each long dimension in the source.
        var places = new Queue<int>(Enumerable.Range(0, source.Rank).Where(axis => source.Shape[axis] != 1));
        var dims = new List<int>();
        for (int axis = 0; axis < reshaped.Rank; axis++)
        {
            if (reshaped[axis] != 1 && places.Dequeue() is var place && op.Dimensions.Contains(axis))
            {
                dims.Add(place);
            }
        }
        return b.Reshape(b.Add(op with { Dimensions = Axes.From(dims) }, source, node.Operands[1]), node.Shape);
    }

    private static Node? ReduceWindow(GraphBuilder b, Node node, ReduceWindowOp op)
    {
        if (node.Operands.Length != 2)
        {
            return null;
        }
        (Node x, Node initial) = (node.Operands[0], node.Operands[1]);

        // One window over everything (global pooling) => reduce
        int[] whole = [.. Enumerable.Range(0, x.Rank).Where(i => !op.Window[i].IsIdentity)];
        if (whole.Length > 0 && whole.All(i => CoversAll(op.Window[i], x.Shape[i])))
        {
            return b.Reshape(b.Add(new ReduceOp(Axes.From(whole), op.Body), x, initial), node.Shape);
        }

        // reduce_window(pad x with the initial value) => reduce_window x with padding, which leaves out what is outside
        if (IsNeutral(op.Body, initial) &&
            x is { Op: PadOp pad, Operands: [var source, var value] } && ReferenceEquals(value, initial) && pad.IsBorder &&
            op.Window.All(w => w.BaseDilation == 1))
        {
            return b.Add(op with { Window = WithPadding(op.Window, pad, i => i) }, source, initial);
        }
        return null;
    }

    // True when combining the value with anything changes nothing. A sum that starts at 0.0 never becomes -0.0.
    private static bool IsNeutral(Computation body, Node value) => ReductionBody.FunctionOf(body)?.Name switch
    {
        "add" or "or" => Splats.Is(value, 0),
        "multiply" => Splats.Is(value, 1),
        "and" => Splats.IsAllOnes(value),
        "maximum" => Splats.Is(value, Scalar.Lowest(value.DType)),
        "minimum" => Splats.Is(value, Scalar.Highest(value.DType)),
        _ => false,
    };

    private static bool CoversAll(WindowDim w, Dim size) =>
        w.Size == size && w.Low == 0 && w.High == 0 && w.Dilation == 1 && w.BaseDilation == 1 && !w.Reversed;

    private static ValueList<WindowDim> WithPadding(ValueList<WindowDim> window, PadOp pad, Func<int, int> axisOf) =>
        [.. window.Select((w, i) => w with { Low = w.Low + pad.Low[axisOf(i)], High = w.High + pad.High[axisOf(i)] })];

    // convolution(pad x with 0) => convolution x with padding
    private static Node? Convolution(GraphBuilder b, Node node, ConvolutionOp op)
    {
        if (node.Operands is not [{ Op: PadOp pad, Operands: [var x, var value] }, var kernel] || !Splats.Is(value, 0) || !pad.IsBorder)
        {
            return null;
        }
        Axes spatial = op.Dimensions.LhsSpatial;
        bool onlySpatial = Enumerable.Range(0, x.Rank).All(axis => spatial.Contains(axis) || (pad.Low[axis] == 0 && pad.High[axis] == 0));
        return onlySpatial && op.Window.All(w => w.BaseDilation == 1)
            ? b.Add(op with { Window = WithPadding(op.Window, pad, i => spatial[i]) }, x, kernel)
            : null;
    }

    // dot(x[b,m,k], broadcast(y[k,n] to [b,k,n])) => dot(x[b,m,k], y[k,n])   the batch becomes free dimensions of x
    private static Node? DotGeneral(GraphBuilder b, Node node, DotGeneralOp op)
    {
        (Node x, Node y) = (node.Operands[0], node.Operands[1]);
        if (op.LhsBatch.Count == 0 || y is not { Op: BroadcastInDimOp broadcast, Operands: [var source] })
        {
            return null;
        }
        Axes dims = broadcast.BroadcastDimensions;
        bool batchIsRepeated = op.RhsBatch.All(axis => !dims.Contains(axis)) && source.Rank == y.Rank - op.RhsBatch.Count &&
            dims.SequenceEqual(dims.Order()) && dims.Select((axis, i) => source.Shape[i] == y.Shape[axis]).All(same => same);
        bool batchComesFirst = op.LhsBatch.IsIdentity; // then the free dimensions of x are the batch, then the others
        return batchIsRepeated && batchComesFirst
            ? b.DotGeneral(
                x, source, [], [], op.LhsContracting, Axes.From(op.RhsContracting.Select(axis => dims.IndexOf(axis))), op.ResultType)
            : null;
    }
}
