using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that read or write elements at places given as data.</summary>
internal static class Indexing
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Gather", 1, Gather),
        new("", "GatherElements", 11, GatherElements),
        new("", "GatherND", 11, GatherNd),
        new("", "Scatter", 9, ScatterElements),
        new("", "ScatterElements", 11, ScatterElements),
        new("", "ScatterND", 11, ScatterNd),
        new("", "TensorScatter", 24, TensorScatter),
        new("", "OneHot", 9, OneHot),
        new("", "TopK", 1, TopK),
        new("", "NonZero", 9, NonZero),
        new("", "Compress", 9, Compress),
        new("", "Unique", 11, UniqueImport.Import),
    ];

    private static void Gather(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node data = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", 0), data.Rank);
        // A single known index is a slice, which fuses better than a gather.
        if (c.TryDims(1) is { Elements: [{ IsStatic: true } only] } dims && data.Shape[axis].IsStatic)
        {
            long extent = data.Shape[axis].Value;
            long index = only.Value < 0 ? only.Value + extent : only.Value;
            if (index < 0 || index >= extent)
            {
                throw c.Bad($"Gather reads index {only} along axis {axis} of {data.Type}", "indices must be in range");
            }
            Node slice = Slicing.Range(b, data, axis, index, 1);
            Dim[] shape = [.. data.Shape.Take(axis), .. dims.Extents.Select(e => (Dim)e), .. data.Shape.Skip(axis + 1)];
            c.Output(0, b.Reshape(slice, Shape.Create(shape)), c.Value(0).Type);
            return;
        }
        c.Output(0, b.Take(data, b.FromEnd(c.Input(1), data.Shape[axis]), axis), c.Value(0).Type);
    }

    private static void GatherElements(OperatorCall c)
    {
        Node data = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", 0), data.Rank);
        c.Output(0, c.B.TakeAlong(data, c.B.FromEnd(c.Input(1), data.Shape[axis]), axis), c.Value(0).Type);
    }

    private static void GatherNd(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node data = c.Input(0);
        Node indices = c.Input(1);
        int batch = (int)c.Int("batch_dims", 0);
        int depth = IndexDepth(c, indices, data, batch);
        Node places = PlacesFromEnd(b, indices, data, batch, depth);
        var batched = Axes.Range(batch);
        var indexed = Axes.Range(batch, depth);
        int rest = data.Rank - batch - depth;
        var dimensions = new GatherDimensions(
            Axes.Range(indices.Rank - 1, rest), indexed, batched, batched, indexed, indices.Rank - 1);
        Dim[] sizes = [.. data.Shape.Select((dim, axis) => axis < batch + depth ? 1 : dim)];
        c.Output(0, b.Gather(data, places, dimensions, [.. sizes]), c.Value(0).Type);
    }

    private static int IndexDepth(OperatorCall c, Node indices, Node data, int batch)
    {
        Dim last = indices.Rank == 0 ? 0 : indices.Shape[indices.Rank - 1];
        return batch >= 0 && last.IsStatic && last.Value >= 1 && batch + last.Value <= data.Rank && batch < indices.Rank
            ? (int)last.Value
            : throw c.Bad(
                $"{c.Proto.OpType} of {data.Type} has indices {indices.Type} and {batch} batch dimensions",
                "the last dimension of the indices counts the axes that they index");
    }

    // Each entry of an index vector counts along another axis.
    private static Node PlacesFromEnd(GraphBuilder b, Node indices, Node data, int first, int depth)
    {
        if (indices.Op is ConstantOp && b.FromEnd(indices, 1) == indices)
        {
            return indices;
        }
        Node[] extents = [.. Enumerable.Range(first, depth).Select(
            axis => DimNodes.Splat(b, data.Shape[axis], indices.DType, [1]))];
        Node row = extents.Length == 1 ? extents[0] : b.Concatenate(extents, 0);
        Node moved = b.Add(indices, b.BroadcastInDim(row, indices.Shape, [indices.Rank - 1]));
        return b.Select(b.Less(indices, b.Like(indices, 0)), moved, indices);
    }

    private static void ScatterElements(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node data = c.Input(0);
        Node updates = c.Input(2);
        int axis = c.NormalAxis(c.Int("axis", 0), data.Rank);
        Node indices = b.Convert(b.FromEnd(c.Input(1), data.Shape[axis]), DType.I64);
        Computation body = Combiner(c, data.DType);
        Axes others = Axes.Create([axis]).Complement(data.Rank);
        if (others.All(other => data.Shape[other] == indices.Shape[other]))
        {
            var batched = new ScatterDimensions([], [axis], others, others, [axis], indices.Rank);
            c.Output(0, b.Scatter(data, indices, updates, batched, body), c.Value(0).Type);
            return;
        }
        // Fewer updates than places along another axis: every place is given in full.
        Node[] places = [.. Enumerable.Range(0, data.Rank).Select(
            a => b.Unsqueeze(a == axis ? indices : b.Iota(new TensorType(DType.I64, indices.Shape), a), indices.Rank))];
        var all = Axes.Range(data.Rank);
        var dimensions = new ScatterDimensions([], all, [], [], all, indices.Rank);
        Node joined = places.Length == 1 ? places[0] : b.Concatenate(places, indices.Rank);
        c.Output(0, b.Scatter(data, joined, updates, dimensions, body), c.Value(0).Type);
    }

    private static void ScatterNd(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node data = c.Input(0);
        Node indices = c.Input(1);
        int depth = IndexDepth(c, indices, data, 0);
        var indexed = Axes.Range(depth);
        var dimensions = new ScatterDimensions(
            Axes.Range(indices.Rank - 1, data.Rank - depth), indexed, [], [], indexed, indices.Rank - 1);
        Node places = PlacesFromEnd(b, indices, data, 0, depth);
        c.Output(0, b.Scatter(data, places, c.Input(2), dimensions, Combiner(c, data.DType)), c.Value(0).Type);
    }

    // Writes each batch's update into the cache along an axis, from the batch's place on; circular places wrap.
    private static void TensorScatter(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node cache = c.Input(0);
        Node update = c.Input(1);
        int axis = c.NormalAxis(c.Int("axis", -2), cache.Rank);
        var type = new TensorType(DType.I64, update.Shape);
        Node start = c.Optional(2) is { } given
            ? b.AlongAxis(b.Convert(given, DType.I64), update.Shape, 0)
            : b.Splat(DType.I64, update.Shape, 0);
        Node place = b.Add(start, b.Iota(type, axis));
        if (c.Text("mode", "linear") == "circular")
        {
            place = b.Remainder(place, DimNodes.Splat(b, cache.Shape[axis], DType.I64, update.Shape));
        }
        Axes others = Axes.Create([axis]).Complement(cache.Rank);
        var dimensions = new ScatterDimensions([], [axis], others, others, [axis], cache.Rank);
        c.Output(0, b.Scatter(cache, place, update, dimensions, Replace(cache.DType)), c.Value(0).Type);
    }

    private static Computation Combiner(OperatorCall c, DType type)
    {
        string reduction = c.Text("reduction", "none");
        ElementwiseFn? fn = reduction switch
        {
            "none" => null,
            "add" => ElementwiseTable.Add,
            "mul" => ElementwiseTable.Multiply,
            "max" => ElementwiseTable.Maximum,
            "min" => ElementwiseTable.Minimum,
            _ => throw c.Bad($"{c.Proto.OpType} has the reduction '{reduction}'", "it must be none, add, mul, max or min"),
        };
        return fn is null ? Replace(type) : ReductionBody.Of(fn, type);
    }

    /// <summary>The body of a scatter that replaces what is there.</summary>
    public static Computation Replace(DType type)
    {
        var b = new GraphBuilder();
        b.Parameter(0, TensorType.Scalar(type));
        return b.Build("replace", [b.Parameter(1, TensorType.Scalar(type))]);
    }

    // Indices from -depth to depth - 1 count; for others the whole row is off.
    private static void OneHot(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node indices = c.Input(0);
        DType work = indices.DType.IsFloating() ? DType.I64 : indices.DType;
        Dim depth = c.Value(1).Dims is { Elements: [var known] } ? known
            : c.Known(1, "depth") is { ElementCount: 1 } given ? (long)ToNumber(given[0])
            : throw c.Bad("OneHot has several depths", "it takes one");
        int axis = c.NormalAxis(c.Int("axis", -1), indices.Rank + 1);
        Dim[] dims = [.. indices.Shape.Take(axis), depth, .. indices.Shape.Skip(axis)];
        Shape shape = Shape.Create(dims);
        Node whole = b.FromEnd(b.Convert(indices, work), depth);
        Node wide = b.BroadcastInDim(whole, shape, Axes.Create([axis]).Complement(shape.Rank));
        Node isOn = b.Equal(wide, b.Iota(new TensorType(work, shape), axis));
        Node values = c.Input(2);
        Node off = b.BroadcastInDim(b.Reshape(Slicing.Range(b, values, 0, 0, 1), Shape.Scalar), shape, []);
        Node on = b.BroadcastInDim(b.Reshape(Slicing.Range(b, values, 0, 1, 1), Shape.Scalar), shape, []);
        c.Output(0, b.Select(isOn, on, off), c.Value(2).Type);
    }

    private static double ToNumber(Scalar value) => value.DType.IsFloating() ? value.AsDouble : (double)value.AsInteger;

    private static void TopK(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", -1), x.Rank);
        Dim k = c.Version < 10 ? c.Int("k") : c.Dims(1, "k").Elements[0];
        if (k.ProvablyDiffers(x.Shape[axis]) && (k - x.Shape[axis]).Range.Min > 0)
        {
            throw c.Bad($"TopK takes {k} elements along axis {axis} of {x.Type}", "there are not so many");
        }
        CompareDirection direction = c.Int("largest", 1) != 0 ? CompareDirection.GT : CompareDirection.LT;
        Node places = b.Iota(new TensorType(DType.I64, x.Shape), axis);
        // The sort is stable, so that of equal elements the first comes first.
        Node[] sorted = b.Sort([x, places], axis, Comparator(x.DType, direction));
        c.Output(0, Slicing.Range(b, sorted[0], axis, 0, k), c.Value(0).Type);
        c.Output(1, Slicing.Range(b, sorted[1], axis, 0, k));
    }

    private static Computation Comparator(DType type, CompareDirection direction)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node y = b.Parameter(1, TensorType.Scalar(type));
        b.Parameter(2, TensorType.Scalar(DType.I64));
        b.Parameter(3, TensorType.Scalar(DType.I64));
        return b.Build("order", [b.Compare(x, y, direction)]);
    }

    // The number of results is data, so the values must be known at import.
    private static void NonZero(OperatorCall c)
    {
        Literal x = c.Known(0, "input");
        long[] extents = x.Shape.ToStatic();
        var found = new List<long[]>();
        long position = 0;
        foreach (long[] at in IndexSpace.Of(extents))
        {
            Scalar value = x[position++];
            if (value.DType.IsFloating() ? value.AsDouble != 0 : value.AsInteger != 0)
            {
                found.Add([.. at]);
            }
        }
        long[] places = [.. Enumerable.Range(0, extents.Length).SelectMany(axis => found.Select(at => at[axis]))];
        Literal result = Literal.From<long>(places, extents.Length, found.Count);
        c.Output(0, OnnxValue.FromLiteral(result, OnnxDataType.Int64));
    }

    private static void Compress(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Literal condition = c.Known(1, "condition");
        long[] kept = [.. Enumerable.Range(0, (int)condition.ElementCount).Where(i => condition[i].AsBool).Select(i => (long)i)];
        bool flat = !c.Attributes.Has("axis");
        Node from = flat ? b.Reshape(x, [x.Shape.ElementCount]) : x;
        int axis = flat ? 0 : c.NormalAxis(c.Int("axis"), x.Rank);
        c.Output(0, b.Take(from, b.Constant(Literal.From<long>(kept, kept.Length)), axis), c.Value(0).Type);
    }
}
