using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Gathers: along one dimension as Gather, along several or batch by batch as GatherND.</summary>
/// <remarks>
/// ONNX refuses indices outside of a dimension, and counts negative ones from its end; here they are moved inside before.
/// </remarks>
internal static class Gathers
{
    public static IEnumerable<ExportRow> Rows => [new("gather", Export)];

    private static void Export(ExportSite site)
    {
        var op = (GatherOp)site.Node.Op;
        GatherDimensions d = op.Dimensions;
        StoredValue x = WithoutUnreachable(site, op);
        if (d.StartIndexMap.Count == 1 && d.OperandBatchingDims.Count == 0)
        {
            AlongOne(site, op, x);
        }
        else
        {
            AlongSeveral(site, op, x);
        }
    }

    // Slices begin at 0 where no index counts, so what lies behind their size is never read.
    private static StoredValue WithoutUnreachable(ExportSite site, GatherOp op)
    {
        StoredValue x = site.Operands[0];
        int[] cut = [.. Enumerable.Range(0, x.Type.Rank).Where(axis =>
            !op.Dimensions.StartIndexMap.Contains(axis) && !op.Dimensions.OperandBatchingDims.Contains(axis) &&
            op.SliceSizes[axis] != x.Type.Shape[axis])];
        if (cut.Length == 0)
        {
            return x;
        }
        string part = Movement.Slice(
            site, site.Place.Plain(x, x.Order), [.. cut.Select(x.Order.IndexOf)], [.. cut.Select(_ => (Dim)0)],
            [.. cut.Select(axis => op.SliceSizes[axis])], [.. cut.Select(_ => 1L)]);
        Shape shape = Shape.From(x.Type.Shape.Select((dim, axis) => cut.Contains(axis) ? op.SliceSizes[axis] : dim));
        return StoredValue.InOrder(part, x.Type with { Shape = shape }, x.Order);
    }

    private static void AlongOne(ExportSite site, GatherOp op, StoredValue x)
    {
        GatherDimensions d = op.Dimensions;
        int axis = d.StartIndexMap[0];
        Dim size = op.SliceSizes[axis];
        StoredValue indices = site.Operands[1];
        Shape places = indices.Type.Shape;
        string starts = site.Place.Plain(indices);
        if (d.IndexVectorDim < places.Rank)
        {
            starts = site.Graph.Add("Squeeze", [starts, site.Graph.Ints(d.IndexVectorDim)]);
            places = places.Without([d.IndexVectorDim]);
        }
        starts = Clamped(site, starts, indices.Type.DType, site.Dims.Scalar(x.Type.Shape[axis] - size), x.Type.Shape[axis]);
        bool keeps = !d.CollapsedSliceDims.Contains(axis);
        if (keeps)
        {
            starts = site.Graph.Add("Unsqueeze", [starts, site.Graph.Ints(places.Rank)]);
            starts = size == 1 ? starts : site.Graph.Add("Add", [starts, Movement.Count(site, DType.I64, size)]);
        }
        int along = x.Order.IndexOf(axis);
        string gathered = site.Graph.Add("Gather", [site.Place.Plain(x, x.Order), starts], Int("axis", along));

        // In the file: the dimensions in front, the places, the slice when it is kept, the dimensions behind.
        Axes kept = op.KeptDims(x.Type.Rank);
        Axes batch = d.OffsetDims.Complement(site.Node.Rank);
        int[] Offsets(IEnumerable<int> axes) => [.. axes.Where(kept.Contains).Select(a => d.OffsetDims[kept.IndexOf(a)])];
        int[] collapsed = [.. x.Order.Where(a => a != axis && !kept.Contains(a))];
        if (collapsed.Length > 0)
        {
            // Of size 1 by now.
            int behind = places.Rank + (keeps ? 1 : 0) - 1;
            gathered = site.Graph.Add("Squeeze", [gathered, site.Graph.Ints(collapsed.Select(
                a => (long)x.Order.IndexOf(a) + (x.Order.IndexOf(a) > along ? behind : 0)))]);
        }
        site.Result(
            gathered,
            Axes.From([.. Offsets(x.Order.Take(along)), .. batch, .. Offsets([axis]), .. Offsets(x.Order.Skip(along + 1))]));
    }

    private static void AlongSeveral(ExportSite site, GatherOp op, StoredValue x)
    {
        GatherDimensions d = op.Dimensions;
        if (d.StartIndexMap.Any(axis => op.SliceSizes[axis] != 1))
        {
            throw new NoOnnxFormException("ONNX gathers along several dimensions in slices of size 1 only");
        }
        StoredValue indices = site.Operands[1];
        int rank = indices.Type.Rank;
        Axes rest = Axes.From([.. d.OperandBatchingDims, .. d.StartIndexMap]).Complement(x.Type.Rank);
        string data = site.Place.Plain(x, Axes.From([.. d.OperandBatchingDims, .. d.StartIndexMap, .. rest]));

        // Batches first, then the other places, the index vector last.
        int[] others = [.. Enumerable.Range(0, rank).Where(
            a => a != d.IndexVectorDim && !d.StartIndicesBatchingDims.Contains(a))];
        int[] batches = [.. d.StartIndicesBatchingDims, .. others];
        string starts = d.IndexVectorDim < rank
            ? site.Place.Plain(indices, Axes.From([.. batches, d.IndexVectorDim]))
            : site.Graph.Add("Unsqueeze", [site.Place.Plain(indices, Axes.From(batches)), site.Graph.Ints(rank)]);
        Dim[] extents = [.. d.StartIndexMap.Select(axis => x.Type.Shape[axis])];
        string last = site.Dims.Shape(extents.Select(e => e - 1));
        starts = Clamped(site, starts, indices.Type.DType, last, extents.MaxBy(e => e.Range.Max));
        string gathered = site.Graph.Add("GatherND", [data, starts], Int("batch_dims", d.OperandBatchingDims.Count));

        // In the file: the places as they stand now, then the dimensions that no index counts along.
        Axes kept = op.KeptDims(x.Type.Rank);
        Axes batch = d.OffsetDims.Complement(site.Node.Rank);
        List<int> order = [.. batches.Select(a => batch[a > d.IndexVectorDim ? a - 1 : a])];
        long[] collapsed =
            [.. Enumerable.Range(0, rest.Count).Where(i => !kept.Contains(rest[i])).Select(i => (long)batches.Length + i)];
        gathered = collapsed.Length == 0 ? gathered : site.Graph.Add("Squeeze", [gathered, site.Graph.Ints(collapsed)]);
        order.AddRange(rest.Where(kept.Contains).Select(a => d.OffsetDims[kept.IndexOf(a)]));

        // Slices of size 1 that are kept have a dimension of their own.
        int[] single = [.. d.StartIndexMap.Where(kept.Contains).Select(a => d.OffsetDims[kept.IndexOf(a)])];
        if (single.Length > 0)
        {
            gathered = site.Graph.Add(
                "Unsqueeze", [gathered, site.Graph.Ints(Enumerable.Range(order.Count, single.Length).Select(a => (long)a))]);
            order.AddRange(single);
        }
        site.Result(gathered, Axes.From(order));
    }

    /// <summary>Indices as i64; those of u64 that would become negative become the largest.</summary>
    public static string Wide(ExportSite site, string indices, DType type)
    {
        if (type == DType.U64)
        {
            Scalar bound = Scalar.FromInteger(type, long.MaxValue);
            indices = site.Graph.Add("Min", [indices, site.Graph.Store(Literal.FromScalar(bound))]);
        }
        return Products.Cast(site, indices, type, DType.I64);
    }

    /// <summary>Indices as i64, moved to 0 or to the last place where they lie outside.</summary>
    /// <param name="site">Where.</param>
    /// <param name="indices">The indices.</param>
    /// <param name="type">Their element type.</param>
    /// <param name="last">The last place, which repeats to the indices.</param>
    /// <param name="extent">A bound for all places.</param>
    public static string Clamped(ExportSite site, string indices, DType type, string last, Dim extent)
    {
        string wide = Wide(site, indices, type);
        return extent == 0
            ? wide // there is nothing to read, so there are no indices
            : site.Graph.Add("Min", [site.Graph.Add("Max", [wide, site.Graph.Number(DType.I64, 0)]), last]);
    }
}
