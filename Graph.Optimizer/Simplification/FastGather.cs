namespace Graphene.Optimizer;

/// <summary>Evaluates gathers that take whole slices along one dimension, as lookups in tables of embeddings do.</summary>
/// <remarks><code>result[outer.., place.., inner..] = x[outer.., clamp(indices[place..]), inner..]</code></remarks>
internal static class FastGather
{
    /// <summary>True for such a gather of constants.</summary>
    public static bool Handles(Node node) =>
        node is { Op: GatherOp gather, Operands: [{ Op: ConstantOp } x, { Op: ConstantOp } indices] } &&
        TakenDimension(gather, x.Type, indices.Type) is not null;

    /// <summary>Computes the result.</summary>
    /// <param name="gather">A gather that <see cref="Handles"/> accepts.</param>
    /// <param name="x">What is taken from.</param>
    /// <param name="indices">Where.</param>
    /// <param name="bytes">Receives the result's elements.</param>
    public static void Evaluate(GatherOp gather, Literal x, Literal indices, Span<byte> bytes)
    {
        int dimension = TakenDimension(gather, x.Type, indices.Type)!.Value;
        long size = x.Shape[dimension].Value;
        long outer = x.Shape.Take(dimension).Aggregate(1L, (n, d) => n * d.Value);
        int run = checked((int)x.Shape.Skip(dimension + 1).Aggregate((long)x.DType.SizeInBytes(), (n, d) => n * d.Value));
        long[] places = new long[indices.ElementCount];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = (long)Int128.Clamp(indices[i].AsInteger, 0, size - 1);
        }
        int at = 0;
        for (long o = 0; o < outer; o++)
        {
            foreach (long place in places)
            {
                using LiteralPart part = x.Part(((o * size) + place) * run, run);
                part.Bytes.CopyTo(bytes[at..]);
                at += run;
            }
        }
    }

    // The dimension that indices count along; null when slices are partial, several dimensions are indexed, or batches are paired.
    private static int? TakenDimension(GatherOp gather, TensorType x, TensorType indices)
    {
        GatherDimensions d = gather.Dimensions;
        if (d is not { StartIndexMap: [var dimension], CollapsedSliceDims: [var collapsed], OperandBatchingDims: [] } ||
            collapsed != dimension || d.IndexVectorDim < indices.Rank - 1 || !x.Shape.IsStatic || !indices.Shape.IsStatic)
        {
            return null;
        }
        int placeRank = d.IndexVectorDim < indices.Rank ? indices.Rank - 1 : indices.Rank;
        int[] offsets = [.. Enumerable.Range(0, dimension), .. Enumerable.Range(dimension + placeRank, x.Rank - dimension - 1)];
        bool isWhole = Enumerable.Range(0, x.Rank).All(
            axis => gather.SliceSizes[axis] == (axis == dimension ? 1 : x.Shape[axis]));
        return isWhole && x.Shape[dimension].Value > 0 && d.OffsetDims.SequenceEqual(offsets) ? dimension : null;
    }
}
