namespace Graphene;

/// <summary>Which dimensions of a gather's operands mean what; the names are StableHLO's.</summary>
/// <param name="OffsetDims">Dimensions of the result that move inside a slice, ascending.</param>
/// <param name="CollapsedSliceDims">Dimensions of the operand that slices have size 1 in and the result leaves out, ascending.</param>
/// <param name="OperandBatchingDims">Dimensions of the operand that are paired with dimensions of the indices, ascending.</param>
/// <param name="StartIndicesBatchingDims">The dimensions of the indices they are paired with.</param>
/// <param name="StartIndexMap">The operand dimension that each entry of an index vector counts along.</param>
/// <param name="IndexVectorDim">The dimension of the indices that holds an index vector; their rank when each index is a scalar.</param>
public sealed record GatherDimensions(
    Axes OffsetDims,
    Axes CollapsedSliceDims,
    Axes OperandBatchingDims,
    Axes StartIndicesBatchingDims,
    Axes StartIndexMap,
    int IndexVectorDim);

/// <summary>Takes slices of one size at places that are given as a tensor of indices.</summary>
/// <remarks>
/// Operands: a tensor, any dtype; start indices of any integer type. Result: one slice per index vector, its kept dimensions at
/// <c>OffsetDims</c>. A start is moved to the nearest one with which the slice lies inside. Exact. Source: StableHLO
/// specification, gather; labels are the specification's.
/// </remarks>
/// <param name="Dimensions">Which dimension means what.</param>
/// <param name="SliceSizes">The size of a slice in each dimension of the operand.</param>
/// <param name="IndicesAreSorted">A promise that index vectors ascend, which back ends may use or ignore.</param>
public sealed partial record GatherOp(GatherDimensions Dimensions, ValueList<Dim> SliceSizes, bool IndicesAreSorted = false)
    : Op("gather")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new GatherOp(
        new GatherDimensions(
            a.Axes("offset_dims"), a.Axes("collapsed_slice_dims"), a.Axes("operand_batching_dims"),
            a.Axes("start_indices_batching_dims"), a.Axes("start_index_map"), a.Int("index_vector_dim")),
        a.Dims("slice_sizes"), a.Bool("indices_are_sorted"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { SliceSizes = SliceSizes.Substitute(values) };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("offset_dims", Dimensions.OffsetDims);
        w.Add("collapsed_slice_dims", Dimensions.CollapsedSliceDims);
        w.Add("operand_batching_dims", Dimensions.OperandBatchingDims);
        w.Add("start_indices_batching_dims", Dimensions.StartIndicesBatchingDims);
        w.Add("start_index_map", Dimensions.StartIndexMap);
        w.Add("index_vector_dim", Dimensions.IndexVectorDim);
        w.Add("slice_sizes", SliceSizes);
        w.Add("indices_are_sorted", IndicesAreSorted);
    }

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(2);
        TensorType x = site.Operand(0);
        TensorType indices = site.RequireDType(1, DTypeSet.Integer);
        RequireDimensions(site, x, indices);
        Shape places = Places(indices);
        Axes kept = KeptDims(x.Rank);
        int rank = places.Rank + kept.Count; // C22
        site.Require( // C2, C3
            Dimensions.OffsetDims.Count == kept.Count && Dimensions.OffsetDims.AreUniqueBelow(rank) &&
            Dimensions.OffsetDims.SequenceEqual(Dimensions.OffsetDims.Order()),
            DiagnosticId.BadGather,
            $"offset_dims {Dimensions.OffsetDims} do not give the {kept.Count} kept dimensions of a slice a place in rank {rank}");
        int nextPlace = 0;
        return new TensorType(x.DType, Shape.From(Enumerable.Range(0, rank).Select(
            axis => Dimensions.OffsetDims.IndexOf(axis) is >= 0 and var offset
                ? SliceSizes[kept[offset]]
                : places[nextPlace++])));
    }

    /// <summary>The dimensions of the operand that slices keep in the result, ascending.</summary>
    /// <param name="operandRank">The rank of the operand.</param>
    public Axes KeptDims(int operandRank) =>
        Axes.From([.. Dimensions.CollapsedSliceDims, .. Dimensions.OperandBatchingDims]).Complement(operandRank);

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal x = operands[0];
        Literal indices = operands[1];
        GatherDimensions d = Dimensions;
        Axes kept = KeptDims(x.Type.Rank);
        return Literal.Generate(result, at =>
        {
            List<long> place = [.. at.Where((_, axis) => !d.OffsetDims.Contains(axis))];
            var source = new long[x.Type.Rank];
            for (int i = 0; i < d.StartIndexMap.Count; i++)
            {
                long[] entry = d.IndexVectorDim == indices.Type.Rank
                    ? [.. place]
                    : [.. place[..d.IndexVectorDim], i, .. place[d.IndexVectorDim..]];
                int axis = d.StartIndexMap[i];
                source[axis] = StartIndices.Clamp(indices[entry], x.Shape[axis].Value, SliceSizes[axis].Value);
            }
            for (int i = 0; i < d.OperandBatchingDims.Count; i++)
            {
                int axis = d.StartIndicesBatchingDims[i];
                source[d.OperandBatchingDims[i]] = place[axis < d.IndexVectorDim ? axis : axis - 1];
            }
            for (int i = 0; i < kept.Count; i++)
            {
                source[kept[i]] += at[d.OffsetDims[i]];
            }
            return x[source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        TensorType x = e.OperandType(0);
        GatherDimensions d = Dimensions;
        Axes kept = KeptDims(x.Rank);
        Axes placeDims = d.OffsetDims.Complement(at.Count);
        return e.Operand(0, IndexVector.From(Enumerable.Range(0, x.Rank).Select(axis =>
        {
            ScalarExpr index = d.StartIndexMap.IndexOf(axis) is >= 0 and var entry
                ? StartIndices.Clamp(e, e.Operand(1, IndexOfEntry(entry)), x.Shape[axis], SliceSizes[axis])
                : d.OperandBatchingDims.IndexOf(axis) is >= 0 and var batch ? PlaceAt(d.StartIndicesBatchingDims[batch])
                : e.Index(0);
            return kept.IndexOf(axis) is >= 0 and var offset ? e.Add(index, at[d.OffsetDims[offset]]) : index;
        })));

        // The index that counts along a dimension of the indices other than that of the vectors.
        ScalarExpr PlaceAt(int axis) => at[placeDims[axis < d.IndexVectorDim ? axis : axis - 1]];

        IndexVector IndexOfEntry(int entry) => IndexVector.From(Enumerable.Range(0, e.OperandType(1).Rank).Select(
            axis => axis == d.IndexVectorDim ? e.Index(entry) : PlaceAt(axis)));
    }

    private Shape Places(TensorType indices) =>
        indices.Shape.Without(Axes.Range(Dimensions.IndexVectorDim, Dimensions.IndexVectorDim < indices.Rank ? 1 : 0));

    private void RequireDimensions(OpSite site, TensorType x, TensorType indices)
    {
        GatherDimensions d = Dimensions;
        site.Require( // C5..C12
            Axes.From([.. d.CollapsedSliceDims, .. d.OperandBatchingDims]).AreUniqueBelow(x.Rank) &&
            d.CollapsedSliceDims.SequenceEqual(d.CollapsedSliceDims.Order()) &&
            d.OperandBatchingDims.SequenceEqual(d.OperandBatchingDims.Order()),
            DiagnosticId.BadGather,
            $"collapsed {d.CollapsedSliceDims} and batching dimensions {d.OperandBatchingDims} are not different, ascending " +
            $"dimensions of {x}");
        site.Require( // C13..C16, C18
            d.IndexVectorDim >= 0 && d.IndexVectorDim <= indices.Rank &&
            d.OperandBatchingDims.Count == d.StartIndicesBatchingDims.Count &&
            Axes.From([.. d.StartIndicesBatchingDims, d.IndexVectorDim]).AreUniqueBelow(indices.Rank + 1),
            DiagnosticId.BadGather,
            $"batching dimensions {d.StartIndicesBatchingDims} and index_vector_dim {d.IndexVectorDim} do not fit {indices}");
        Dim entries = d.IndexVectorDim < indices.Rank ? indices.Shape[d.IndexVectorDim] : 1;
        site.Require( // C14, C19
            site.CanBeEqual(entries, d.StartIndexMap.Count) &&
            Axes.From([.. d.StartIndexMap, .. d.OperandBatchingDims]).AreUniqueBelow(x.Rank),
            DiagnosticId.BadGather, $"index vectors have {entries} entries, start_index_map is {d.StartIndexMap}");
        for (int i = 0; i < d.OperandBatchingDims.Count; i++)
        {
            site.Require( // C17
                site.CanBeEqual(x.Shape[d.OperandBatchingDims[i]], indices.Shape[d.StartIndicesBatchingDims[i]]),
                DiagnosticId.BadGather,
                $"batching dimension {d.OperandBatchingDims[i]} of {x} is paired with {d.StartIndicesBatchingDims[i]} of {indices}");
        }
        site.Require( // C20
            SliceSizes.Count == x.Rank, DiagnosticId.RankMismatch, $"{SliceSizes.Count} slice sizes are given for {x}");
        for (int i = 0; i < x.Rank; i++)
        {
            bool isLeftOut = d.CollapsedSliceDims.Contains(i) || d.OperandBatchingDims.Contains(i);
            site.Require( // C8, C12, C21
                site.CanBeAtMost(0, SliceSizes[i]) && site.CanBeAtMost(SliceSizes[i], x.Shape[i]) &&
                (!isLeftOut || site.CanBeAtMost(SliceSizes[i], 1)),
                DiagnosticId.OutOfBounds, $"a slice of size {SliceSizes[i]} does not fit into dimension {i} of {x}",
                why: isLeftOut ? "a dimension that the result leaves out has slices of size 1" : null);
        }
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GatherDimensions d = Dimensions;
        GraphBuilder b = site.Builder;
        (Node x, Node indices) = (site.Operand(0), site.Operand(1));
        if (!site.IsMapped(1))
        {
            // Slices span the new dimension of the operand, which they keep in front.
            var whole = new GatherDimensions(
                d.OffsetDims.WithFirst(), d.CollapsedSliceDims.Behind(), d.OperandBatchingDims.Behind(), d.StartIndicesBatchingDims,
                d.StartIndexMap.Behind(), d.IndexVectorDim);
            return [b.Gather(x, indices, whole, [site.Size, .. SliceSizes])];
        }
        if (!site.IsMapped(0))
        {
            var more = d with
            {
                OffsetDims = d.OffsetDims.Behind(),
                StartIndicesBatchingDims = d.StartIndicesBatchingDims.Behind(),
                IndexVectorDim = d.IndexVectorDim + 1,
            };
            return [b.Gather(x, indices, more, SliceSizes)];
        }
        var paired = new GatherDimensions(
            d.OffsetDims.Behind(), d.CollapsedSliceDims.Behind(), d.OperandBatchingDims.WithFirst(),
            d.StartIndicesBatchingDims.WithFirst(), d.StartIndexMap.Behind(), d.IndexVectorDim + 1);
        return [b.Gather(x, indices, paired, [1, .. SliceSizes])];
    }
}

/// <summary>Builds gathers.</summary>
public static class GatherBuilder
{
    /// <summary>Slices at places given as a tensor; see <see cref="GatherOp"/>.</summary>
    public static Node Gather(
        this GraphBuilder b, Node x, Node indices, GatherDimensions dimensions, ValueList<Dim> sliceSizes,
        bool indicesAreSorted = false) =>
        b.Add(new GatherOp(dimensions, sliceSizes, indicesAreSorted), x, indices);

    /// <summary>Whole slices along one dimension: the indices' dimensions stand in its place in the result.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">What is taken from.</param>
    /// <param name="indices">Positions along the dimension, moved into 0..size-1; any shape.</param>
    /// <param name="dimension">The dimension that is indexed.</param>
    public static Node Take(this GraphBuilder b, Node x, Node indices, int dimension)
    {
        Axes offsets = [.. Enumerable.Range(0, dimension), .. Enumerable.Range(dimension + indices.Rank, x.Rank - dimension - 1)];
        var dimensions = new GatherDimensions(offsets, [dimension], [], [], [dimension], indices.Rank);
        return b.Gather(x, indices, dimensions, x.Shape.With(dimension, 1).ToValueList());
    }
}
