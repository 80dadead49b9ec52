namespace Graphene;

/// <content>Gradients of the scatters whose body is one function: sums, replacements, products, maxima, minima.</content>
public sealed partial record ScatterOp
{
    private const string Unknown = "the body is no sum, product, maximum, minimum or replacement of one element by one update";

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "one input; sums, replacements (the last one counts), maxima and minima (a tie is shared equally), and products, which " +
        "must promise unique indices to have a gradient by the updates");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        Node self = site.Node;
        Node d = site.Cotangent(0);
        if (Replaces)
        {
            Node zeros = b.Like(self.Operands[2], 0);
            return [b.Add(this, d, self.Operands[1], zeros), null, b.Masked(CountsAt(b, self), TakeBack(b, self, d))];
        }
        ElementwiseFn fn = Function(self) ?? throw site.Refuse(Unknown);
        if (fn == ElementwiseTable.Add)
        {
            return [d, null, TakeBack(b, self, d)];
        }
        if (fn == ElementwiseTable.Multiply)
        {
            if (site.Needs(2) && !UniqueIndices)
            {
                throw site.Refuse(
                    "the product of several updates in one place has no gradient by each of them here", "promise unique indices");
            }
            Node byInput = b.Add(this, d, self.Operands[1], self.Operands[2]);
            return [byInput, null, site.Needs(2) ? TakeBack(b, self, b.Multiply(d, self.Operands[0])) : null];
        }
        (Node ofInput, Node ofUpdates) = Shares(b, self);
        return [b.Multiply(d, ofInput), null, b.Multiply(TakeBack(b, self, d), ofUpdates)];
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        GraphBuilder b = site.Builder;
        Node self = site.Node;
        if (Replaces)
        {
            // Tangents are replaced where values are.
            return [b.Add(this, site.Tangent(0), self.Operands[1], site.Tangent(2))];
        }
        ElementwiseFn fn = Function(self) ?? throw site.Refuse(Unknown);
        if (fn == ElementwiseTable.Add)
        {
            return [b.Add(this, site.Tangent(0), self.Operands[1], site.Tangent(2))];
        }
        Node? byInput = null;
        Node? byUpdates = null;
        if (fn == ElementwiseTable.Multiply)
        {
            byInput = site.Tangents[0] is { } x ? b.Add(this, x, self.Operands[1], self.Operands[2]) : null;
            if (site.Tangents[2] is { } u)
            {
                byUpdates = UniqueIndices
                    ? b.Multiply(AddInto(b, self, u), self.Operands[0])
                    : throw site.Refuse("the product of several updates in one place", "promise unique indices");
            }
            return [b.SumOrNull(byInput, byUpdates)];
        }
        (Node ofInput, Node ofUpdates) = Shares(b, self);
        byInput = site.Tangents[0] is { } tangent ? b.Multiply(tangent, ofInput) : null;
        byUpdates = site.Tangents[2] is { } update ? AddInto(b, self, b.Multiply(update, ofUpdates)) : null;
        return [b.SumOrNull(byInput, byUpdates)];
    }

    /// <summary>Sums into zeros go on as sums into the other value.</summary>
    public override Node? AddTo(GraphBuilder b, Node self, Node other) =>
        self.Types.Length == 1 && Function(self) == ElementwiseTable.Add && Cotangents.IsZero(self.Operands[0])
            ? b.Add(this, other, self.Operands[1], self.Operands[2])
            : null;

    private ElementwiseFn? Function(Node self)
    {
        ElementwiseFn? fn = self.Types.Length == 1 ? ReductionBody.FunctionOf(Body) : null;
        return fn == ElementwiseTable.Add || fn == ElementwiseTable.Multiply || fn == ElementwiseTable.Maximum ||
            fn == ElementwiseTable.Minimum ? fn : null;
    }

    private bool Replaces => Body.Parameters.Length == 2 && ReferenceEquals(Body.Results[0], Body.Parameters[1]);

    // Updates added into zeros at the places of this scatter.
    private Node AddInto(GraphBuilder b, Node self, Node updates) => b.Add(
        this with { Body = ReductionBody.Of(ElementwiseTable.Add, updates.DType) },
        b.Splat(updates.DType, self.Shape, 0), self.Operands[1], updates);

    // For each element of the updates the element of x in its place; 0 where it was skipped.
    private Node TakeBack(GraphBuilder b, Node self, Node x)
    {
        ScatterDimensions d = Dimensions;
        (Node indices, Node updates) = (self.Operands[1], self.Operands[2]);
        Axes windowDims = WindowDims(x.Rank);
        Dim[] sizes = [.. Enumerable.Range(0, x.Rank).Select(
            axis => windowDims.IndexOf(axis) is >= 0 and var i ? updates.Shape[d.UpdateWindowDims[i]] : 1)];
        var dimensions = new GatherDimensions(
            d.UpdateWindowDims, Axes.From(d.InsertedWindowDims.Order()), d.InputBatchingDims, d.ScatterIndicesBatchingDims,
            d.ScatterDimsToOperandDims, d.IndexVectorDim);
        Dim[] reach = [.. d.ScatterDimsToOperandDims.Select(axis => sizes[axis])];
        Dim[] extents = [.. d.ScatterDimsToOperandDims.Select(axis => x.Shape[axis])];
        if (reach.All(size => size == 1))
        {
            Node inside = IndexBounds.AreInside(
                b, indices, d.IndexVectorDim, new Dim[extents.Length], [.. extents.Select(e => e - 1)]);
            Node taken = b.Gather(x, indices, dimensions, [.. sizes]);
            Axes places = d.UpdateWindowDims.Complement(updates.Rank);
            return b.Masked(b.BroadcastInDim(inside, updates.Shape, places), taken);
        }

        // Windows that reach over an edge find zeros there: a frame of them around x, as wide as a window.
        var frame = new Dim[x.Rank];
        for (int i = 0; i < reach.Length; i++)
        {
            frame[d.ScatterDimsToOperandDims[i]] = reach[i];
        }
        Node framed = b.Pad(x, b.Constant(x.DType, 0), [.. frame], [.. frame]);
        Node moved = IndexBounds.Clamp(b, indices, d.IndexVectorDim, [.. reach.Select(r => 0 - r)], extents);
        return b.Gather(framed, b.Add(moved, IndexBounds.Bound(b, moved, d.IndexVectorDim, reach)), dimensions, [.. sizes]);
    }

    // True for the updates that are in the result: not overwritten by a later one. Their numbers are scattered as they are.
    private Node CountsAt(GraphBuilder b, Node self)
    {
        Node updates = self.Operands[2];
        if (UniqueIndices)
        {
            return b.Splat(DType.Bool, updates.Shape, 1);
        }
        Node numbers = b.Reshape(b.Iota(new TensorType(DType.I64, [updates.Shape.ElementCount]), 0), updates.Shape);
        Node one = b.Like(numbers, 1); // 0 is what is outside
        Node mine = b.Add(numbers, one);
        var set = new GraphBuilder();
        set.Parameter(0, TensorType.Scalar(DType.I64));
        Computation replace = set.Build("replace", [set.Parameter(1, TensorType.Scalar(DType.I64))]);
        Node written = b.Add(this with { Body = replace }, b.Splat(DType.I64, self.Shape, 0), self.Operands[1], mine);
        return b.Equal(TakeBack(b, written, written), mine);
    }

    // How much of a cotangent goes to the input and to each update: equal shares to all that are the extreme.
    private (Node OfInput, Node OfUpdates) Shares(GraphBuilder b, Node self)
    {
        Node isInput = b.Convert(b.Equal(self.Operands[0], self), self.DType);
        Node isUpdate = b.Convert(b.Equal(self.Operands[2], TakeBack(b, self, self)), self.DType);
        Node count = b.Maximum(b.Add(isInput, AddInto(b, self, isUpdate)), b.Like(isInput, 1));
        Node shares = b.Divide(b.Like(count, 1), count);
        return (b.Multiply(isInput, shares), b.Multiply(isUpdate, TakeBack(b, self, shares)));
    }
}
