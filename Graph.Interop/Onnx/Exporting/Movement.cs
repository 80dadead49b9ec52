using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Ops that move elements, and those that make them from nothing.</summary>
internal static class Movement
{
    public static IEnumerable<ExportRow> Rows =>
    [
        new("constant", site => site.Result(StoredValue.Of(((ConstantOp)site.Node.Op).Value))),
        new("iota", Iota),
        new("dim_value", site => site.Result(site.Dims.Scalar(((DimValueOp)site.Node.Op).Dim))),
        new("broadcast_in_dim", Broadcast),
        new("reshape", Reshape),
        new("transpose", site => site.Result(site.Operands[0].Transposed(((TransposeOp)site.Node.Op).Permutation))),
        new("concatenate", Concatenate),
        new("slice", Slice),
        new("reverse", Reverse),
        new("pad", Pad),
        new("optimization_barrier", site => site.Result(site.Operands)),
    ];

    /// <summary>Takes ranges of some dimensions of a tensor.</summary>
    public static string Slice(
        ExportSite site, string x, IReadOnlyList<int> axes, IReadOnlyList<Dim> starts, IReadOnlyList<Dim> ends,
        IReadOnlyList<long> steps) => axes.Count == 0
        ? x
        : site.Graph.Add(
            "Slice",
            [
                x, site.Dims.Shape(starts), site.Dims.Shape(ends), site.Graph.Ints(axes.Select(a => (long)a)),
                site.Graph.Ints(steps),
            ]);

    /// <summary>Turns a tensor around along some dimensions.</summary>
    public static string Reverse(ExportSite site, string x, IReadOnlyList<int> axes) => Slice(
        site, x, axes, [.. axes.Select(_ => (Dim)(-1))], [.. axes.Select(_ => (Dim)(-long.MaxValue))],
        [.. axes.Select(_ => -1L)]);

    /// <summary>Puts a value around the elements of a tensor, or cuts some off where amounts are negative.</summary>
    /// <param name="site">Where.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="value">The value, a scalar.</param>
    /// <param name="low">Amounts in front of each dimension.</param>
    /// <param name="high">Amounts behind each dimension.</param>
    public static string Surround(ExportSite site, string x, string value, IReadOnlyList<Dim> low, IReadOnlyList<Dim> high) =>
        low.Concat(high).All(amount => amount == 0)
            ? x
            : site.Graph.Add("Pad", [x, site.Dims.Shape(low.Concat(high)), value]);

    /// <summary>Puts copies of a value between the neighbours along a dimension.</summary>
    /// <remarks>[n] -> [n, 1] -> [n, 1 + count] -> [n * (1 + count)] -> without the last copies.</remarks>
    /// <param name="site">Where.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="value">The value, a scalar.</param>
    /// <param name="shape">The tensor's shape; afterwards the result's.</param>
    /// <param name="axis">The dimension.</param>
    /// <param name="count">How many.</param>
    public static string Spread(ExportSite site, string x, string value, ref Shape shape, int axis, long count)
    {
        if (count == 0 || shape[axis] == 0)
        {
            return x;
        }
        Dim[] none = new Dim[shape.Rank + 1];
        Dim[] behind = new Dim[shape.Rank + 1];
        behind[axis + 1] = count;
        string column = site.Graph.Add("Unsqueeze", [x, site.Graph.Ints(axis + 1)]);
        string wide = Surround(site, column, value, none, behind);
        Dim extent = shape[axis];
        Shape joined = shape.With(axis, extent * (count + 1));
        Shape split = Shape.From([.. shape.Take(axis + 1), count + 1, .. shape.Skip(axis + 1)]);
        string flat = site.Place.Reshape(wide, split, joined);
        behind = new Dim[shape.Rank];
        behind[axis] = -count;
        shape = shape.With(axis, (extent * (count + 1)) - count);
        return Surround(site, flat, value, new Dim[shape.Rank], behind);
    }

    /// <summary><c>0, 1, 2, ...</c> as a vector.</summary>
    public static string Count(ExportSite site, DType type, Dim count)
    {
        if (count.IsStatic)
        {
            var vector = new TensorType(type, [count]);
            return site.Graph.Store(new IotaOp(vector, 0).EvaluateAll([], [vector])[0]);
        }
        string range = site.Graph.Add(
            "Range", [site.Graph.Number(DType.I64, 0), site.Dims.Scalar(count), site.Graph.Number(DType.I64, 1)]);
        return type == DType.I64 ? range : site.Graph.Add("Cast", [range], Attributes.Type("to", type));
    }

    private static void Iota(ExportSite site)
    {
        var op = (IotaOp)site.Node.Op;
        int behind = op.Type.Rank - op.Dimension - 1;
        string count = Count(site, op.Type.DType, op.Type.Shape[op.Dimension]);
        string column = behind == 0
            ? count
            : site.Graph.Add("Unsqueeze", [count, site.Graph.Ints(Enumerable.Range(1, behind).Select(i => (long)i))]);
        Shape extents = Shape.From(op.Type.Shape.Select((dim, axis) => axis == op.Dimension ? dim : 1));
        site.Result(StoredValue.Named(column, op.Type, extents, Axes.Range(op.Type.Rank), behind + 1));
    }

    // Nothing is repeated here: only the dimensions that will be are put in place, with size 1.
    private static void Broadcast(ExportSite site)
    {
        StoredValue x = site.Operands[0];
        TensorType type = site.Node.Type;
        Axes places = ((BroadcastInDimOp)site.Node.Op).BroadcastDimensions;
        if (x.IsSingle)
        {
            site.Result(x.SingleTo(type.Shape));
            return;
        }
        Axes ascending = Axes.From(Enumerable.Range(0, x.Type.Rank).OrderBy(i => places[i]));
        Shape extents = Shape.From(
            Enumerable.Range(0, type.Rank).Select(axis => places.IndexOf(axis) is >= 0 and var i ? x.Extents[i] : 1));
        if (x.Constant is not null)
        {
            site.Result(StoredValue.Repeated(LiteralOrder.Permute(x.Constant, ascending).Reshape(extents), type, x.Hint));
            return;
        }
        string ordered = site.Place.Ordered(x, ascending);
        int rank = TensorPlacement.OrderedRank(x, ascending);

        // The dimensions of the tensor, the last of x, get those of size 1 between and behind them; none are needed in front.
        int[] present = [.. ascending.Skip(x.Type.Rank - rank).Select(i => places[i])];
        int first = present[0];
        long[] added = [.. Enumerable.Range(first, type.Rank - first).Except(present).Select(axis => (long)(axis - first))];
        string name = added.Length == 0 ? ordered : site.Graph.Add("Unsqueeze", [ordered, site.Graph.Ints(added)]);
        site.Result(StoredValue.Named(name, type, extents, Axes.Range(type.Rank), type.Rank - first));
    }

    private static void Reshape(ExportSite site)
    {
        StoredValue x = site.Operands[0];
        Shape to = site.Node.Shape;
        if (x.IsSingle && (x.Constant is null || x.Type.Shape.ElementCount != 1))
        {
            site.Result(x.SingleTo(to));
        }
        else if (x.Constant is not null && x.Extents.Equals(x.Type.Shape) && to.IsStatic)
        {
            site.Result(StoredValue.Of(x.Constant.Reshape(to), x.Hint));
        }
        else
        {
            site.Result(site.Place.Reshape(site.Place.Plain(x), x.Type.Shape, to));
        }
    }

    private static void Concatenate(ExportSite site)
    {
        int axis = ((ConcatenateOp)site.Node.Op).Dimension;
        Axes order = site.Operands.FirstOrDefault(o => o.Constant is null)?.Order ?? site.Operands[0].Order;
        string[] parts = [.. site.Operands.Select(o => site.Place.Plain(o, order))];
        site.Result(parts.Length == 1 ? parts[0] : site.Graph.Add("Concat", parts, Int("axis", order.IndexOf(axis))), order);
    }

    private static void Slice(ExportSite site)
    {
        var op = (SliceOp)site.Node.Op;
        StoredValue x = site.Operands[0];
        if (x.IsSingle)
        {
            site.Result(x.SingleTo(site.Node.Shape));
            return;
        }
        int[] cut = [.. Enumerable.Range(0, x.Type.Rank).Where(
            axis => op.Starts[axis] != 0 || op.Limits[axis] != x.Type.Shape[axis] || op.Strides[axis] != 1)];
        string part = Slice(
            site, site.Place.Plain(x, x.Order), [.. cut.Select(x.Order.IndexOf)], [.. cut.Select(axis => op.Starts[axis])],
            [.. cut.Select(axis => op.Limits[axis])], [.. cut.Select(axis => op.Strides[axis])]);
        site.Result(part, x.Order);
    }

    private static void Reverse(ExportSite site)
    {
        StoredValue x = site.Operands[0];
        int[] turned = [.. ((ReverseOp)site.Node.Op).Dimensions.Where(axis => x.Extents[axis] != 1)];
        if (turned.Length == 0)
        {
            site.Result(x);
            return;
        }
        site.Result(Reverse(site, site.Place.Plain(x, x.Order), [.. turned.Select(x.Order.IndexOf)]), x.Order);
    }

    private static void Pad(ExportSite site)
    {
        var op = (PadOp)site.Node.Op;
        StoredValue x = site.Operands[0];
        string padded = site.Place.Plain(x, x.Order);
        string value = site.Plain(1);
        Shape shape = x.Type.Shape.Permute(x.Order);
        for (int i = 0; i < shape.Rank; i++)
        {
            padded = Spread(site, padded, value, ref shape, i, op.Interior[x.Order[i]]);
        }
        site.Result(
            Surround(
                site, padded, value, [.. x.Order.Select(axis => op.Low[axis])], [.. x.Order.Select(axis => op.High[axis])]),
            x.Order);
    }
}
