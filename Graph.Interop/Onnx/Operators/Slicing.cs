using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that take parts out of a tensor, or surround it.</summary>
internal static class Slicing
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Slice", 1, c => c.Output(0, Slice(c), c.Value(0).Type)),
        new("", "Split", 1, Split),
        new("", "Pad", 1, c => c.Output(0, Pad(c), c.Value(0).Type)),
        new("", "CenterCropPad", 18, c => c.Output(0, CenterCropPad(c), c.Value(0).Type)),
        new("", "Trilu", 14, c => c.Output(0, Trilu(c), c.Value(0).Type)),
        new("", "ReverseSequence", 10, c => c.Output(0, ReverseSequence(c), c.Value(0).Type)),
    ];

    // Exporters write "to the end" as a very large number, and "to the beginning" as a very small one.
    private const long FarAway = DimSymbol.Unbounded;

    /// <summary>Part of one axis: from a start on, a number of elements.</summary>
    public static Node Range(GraphBuilder b, Node x, int axis, Dim start, Dim count) =>
        b.SliceDimension(x, axis, start, start + count);

    private static Node Slice(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        SliceArguments slice = SliceArguments.Read(c, x.Rank, isNeeded: true)!;
        Dim[] starts = [.. Enumerable.Repeat<Dim>(0, x.Rank)];
        Dim[] limits = [.. x.Shape];
        long[] steps = [.. Enumerable.Repeat(1L, x.Rank)];
        var reversed = new List<int>();
        for (int i = 0; i < slice.Axes.Length; i++)
        {
            int axis = slice.Axes[i];
            (Dim start, Dim count) = Extent(c, slice, i, x.Shape[axis]);
            long step = slice.Steps[i];
            if (step < 0 && count != 0)
            {
                // Backwards from start: the same elements forwards, then reversed.
                step = step == long.MinValue ? long.MaxValue : -step;
                start = count == 1 ? start : start - ((count - 1) * step);
                reversed.Add(axis);
            }
            starts[axis] = count == 0 ? 0 : start;
            limits[axis] = count == 0 ? 0 : count == 1 ? start + 1 : start + ((count - 1) * step) + 1;
            steps[axis] = count == 0 || count == 1 ? 1 : step;
        }
        Node part = b.Slice(x, [.. starts], [.. limits], [.. steps]);
        return reversed.Count == 0 ? part : b.Reverse(part, Axes.From(reversed));
    }

    // The first element and the number of elements along an axis. Symbolic bounds are taken to lie inside the axis, and the first
    // element to exist; a run checks that. Numbers beyond a symbolic extent still mean its end.
    private static (Dim Start, Dim Count) Extent(OperatorCall c, SliceArguments slice, int place, Dim extent)
    {
        Dim start = slice.Starts[place];
        Dim end = slice.Ends[place];
        long step = slice.Steps[place];
        if (extent.IsStatic && start.IsStatic && end.IsStatic)
        {
            (long first, _, long number) = slice.Static(place, extent.Value);
            return (first, number);
        }
        if (step == long.MinValue)
        {
            throw c.Unsupported("Slice has a step of -2^63 along a symbolic dimension", "use a smaller step");
        }
        if (step > 0)
        {
            Dim low = start.IsStatic && start.Value <= -FarAway ? 0 : FromEnd(start, extent);
            Dim high = end.IsStatic && end.Value >= 0 ? Dim.Min(end, extent) : FromEnd(end, extent);
            return (low, Dim.CeilDiv(high - low, step));
        }
        Dim from = start.IsStatic && start.Value >= 0 ? Dim.Min(start, extent - 1) : FromEnd(start, extent);
        Dim to = end.IsStatic && end.Value <= -FarAway ? -1 : FromEnd(end, extent);
        return (from, Dim.CeilDiv(from - to, -step));
    }

    private static Dim FromEnd(Dim index, Dim extent) => index.Range.Max < 0 ? index + extent : index;

    private static void Split(OperatorCall c)
    {
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", 0), x.Rank);
        Dim[] sizes = SplitSizes(c, x, axis);
        if (sizes.Length != c.OutputCount)
        {
            throw c.Bad($"Split into {sizes.Length} parts has {c.OutputCount} outputs", "there must be one for each part");
        }
        Dim start = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            c.Output(i, Range(c.B, x, axis, start, sizes[i]), c.Value(0).Type);
            start += sizes[i];
        }
    }

    private static Dim[] SplitSizes(OperatorCall c, Node x, int axis)
    {
        Dim extent = x.Shape[axis];
        if (c.Ints("split") is { } given)
        {
            return CheckSum(c, [.. given.Select(s => (Dim)s)], extent);
        }
        if (c.Has(1))
        {
            return CheckSum(c, c.Dims(1, "split").Elements, extent);
        }
        // Equal parts; a last one may be smaller.
        int count = (int)c.Int("num_outputs", c.OutputCount);
        if (count <= 0 || count > 1 << 20)
        {
            throw c.Bad($"Split into {count} parts", "there must be at least one");
        }
        Dim part = Dim.CeilDiv(extent, count);
        return [.. Enumerable.Range(0, count).Select(i => i < count - 1 ? part : extent - (part * (count - 1)))];
    }

    private static Dim[] CheckSum(OperatorCall c, Dim[] sizes, Dim extent)
    {
        Dim sum = 0;
        foreach (Dim size in sizes)
        {
            sum += size;
        }
        return sum.ProvablyDiffers(extent) || sizes.Any(s => s.Range.Max < 0)
            ? throw c.Bad($"Split of {extent} elements into parts of [{string.Join(", ", sizes)}]", "the parts must add up")
            : sizes;
    }

    private static Node Pad(OperatorCall c)
    {
        Node x = c.Input(0);
        (Dim[] low, Dim[] high) = PadSizes(c, x.Rank);
        string mode = c.Text("mode", "constant");
        if (mode == "constant")
        {
            Node value = c.Version < 11 ? c.B.Constant(x.DType, c.Float("value", 0))
                : c.Optional(2) is { } given ? c.B.Reshape(given, Shape.Scalar)
                : c.B.Constant(x.DType, 0);
            return c.B.Pad(x, value, [.. low], [.. high]);
        }
        Node result = x;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            result = PadAxis(c, result, axis, low[axis], high[axis], mode);
        }
        return result;
    }

    private static (Dim[] Low, Dim[] High) PadSizes(OperatorCall c, int rank)
    {
        Dim[] pads = (c.Ints("pads") ?? c.Ints("paddings")) is { } given
            ? [.. given.Select(p => (Dim)p)]
            : c.Dims(1, "pads").Elements;
        int[] axes = c.Has(3) ? c.NormalAxes(c.Numbers(3, "axes"), rank) : [.. Enumerable.Range(0, rank)];
        if (pads.Length != 2 * axes.Length)
        {
            throw c.Bad($"Pad has {pads.Length} pads for {axes.Length} axes", "there must be two for each axis");
        }
        Dim[] low = [.. Enumerable.Repeat<Dim>(0, rank)];
        Dim[] high = [.. Enumerable.Repeat<Dim>(0, rank)];
        for (int i = 0; i < axes.Length; i++)
        {
            low[axes[i]] = pads[i];
            high[axes[i]] = pads[i + axes.Length];
        }
        return (low, high);
    }

    // edge repeats the border, reflect mirrors without it, wrap continues at the other end.
    private static Node PadAxis(OperatorCall c, Node x, int axis, Dim low, Dim high, string mode)
    {
        GraphBuilder b = c.B;
        if (low == 0 && high == 0)
        {
            return x;
        }
        Dim extent = x.Shape[axis];
        if (mode != "edge" && !(low.IsStatic && high.IsStatic))
        {
            throw c.Unsupported($"Pad of mode {mode} has symbolic pads", "they must be known at import");
        }
        Node cut = Range(b, x, axis, Dim.Max(0, low * -1), extent + Dim.Min(0, low) + Dim.Min(0, high));
        Dim rest = cut.Shape[axis];
        if (rest.Range.Max == 0)
        {
            throw c.Bad($"Pad of mode {mode} has nothing to repeat along axis {axis} of {x.Type}", "it needs at least one element");
        }
        List<Node> parts = [cut];
        Dim front = Dim.Max(0, low);
        Dim back = Dim.Max(0, high);
        if (mode == "edge")
        {
            parts.Insert(0, Repeat(b, Range(b, cut, axis, 0, 1), axis, front));
            parts.Add(Repeat(b, Range(b, cut, axis, rest - 1, 1), axis, back));
        }
        else if (rest.IsStatic)
        {
            // Which element each place of the result shows, for mirrors of mirrors too.
            long[] source = [.. Enumerable.Range(0, (int)(front.Value + rest.Value + back.Value))
                .Select(i => Source(c, mode, i - front.Value, rest.Value))];
            return b.Take(cut, b.Constant(Literal.From<long>(source, source.Length)), axis);
        }
        else
        {
            // A single mirror or continuation: the run-time extent must be large enough for it.
            bool mirror = Source(c, mode, -1, 3) == 1;
            Node head = mirror ? b.Reverse(Range(b, cut, axis, 1, front), [axis]) : Range(b, cut, axis, rest - front, front);
            Node tail = mirror ? b.Reverse(Range(b, cut, axis, rest - 1 - back, back), [axis]) : Range(b, cut, axis, 0, back);
            parts.Insert(0, head);
            parts.Add(tail);
        }
        return b.Concatenate([.. parts.Where(p => p.Shape[axis] != 0)], axis);
    }

    private static long Source(OperatorCall c, string mode, long at, long extent)
    {
        switch (mode)
        {
            case "wrap":
                return ((at % extent) + extent) % extent;
            case "reflect":
                if (extent == 1)
                {
                    return 0;
                }
                long period = 2 * (extent - 1);
                long place = ((at % period) + period) % period;
                return place < extent ? place : period - place;
            default:
                throw c.Bad($"Pad has the mode '{mode}'", "it must be constant, edge, reflect or wrap");
        }
    }

    private static Node Repeat(GraphBuilder b, Node x, int axis, Dim count) =>
        b.BroadcastInDim(x, x.Shape.With(axis, count), Axes.Range(x.Rank));

    // Crops and pads evenly; an odd element goes behind.
    private static Node CenterCropPad(OperatorCall c)
    {
        Node x = c.Input(0);
        int[] axes = c.Ints("axes") is { } given ? c.NormalAxes(given, x.Rank) : [.. Enumerable.Range(0, x.Rank)];
        long[] shape = c.Numbers(1, "shape");
        Dim[] low = [.. Enumerable.Repeat<Dim>(0, x.Rank)];
        Dim[] high = [.. Enumerable.Repeat<Dim>(0, x.Rank)];
        for (int i = 0; i < axes.Length; i++)
        {
            Dim missing = shape[i] - x.Shape[axes[i]];
            if (!missing.IsStatic)
            {
                throw c.Unsupported($"CenterCropPad of {x.Type}", "the dimensions must be known at import");
            }
            low[axes[i]] = missing.Value >= 0 ? missing.Value / 2 : -(-missing.Value / 2);
            high[axes[i]] = missing - low[axes[i]];
        }
        return c.B.Pad(x, c.B.Constant(x.DType, 0), [.. low], [.. high]);
    }

    private static Node Trilu(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        if (x.Rank < 2)
        {
            throw c.Bad($"Trilu of {x.Type}", "it takes matrices");
        }
        var index = new TensorType(DType.I64, x.Shape);
        Node row = b.Iota(index, x.Rank - 2);
        Node column = b.Iota(index, x.Rank - 1);
        Node k = c.Optional(1) is { } given
            ? b.BroadcastTo(b.Reshape(given, Shape.Scalar), x.Shape)
            : b.Splat(DType.I64, x.Shape, 0);
        Node distance = b.Subtract(column, row);
        Node keep = b.Compare(
            distance, k, c.Int("upper", 1) != 0 ? CompareDirection.GE : CompareDirection.LE);
        return b.Select(keep, x, b.Like(x, 0));
    }

    // Element i of a sequence of length n shows element n - 1 - i, beyond n itself.
    private static Node ReverseSequence(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int batchAxis = c.NormalAxis(c.Int("batch_axis", 1), x.Rank);
        int timeAxis = c.NormalAxis(c.Int("time_axis", 0), x.Rank);
        var index = new TensorType(DType.I64, x.Shape);
        Node time = b.Iota(index, timeAxis);
        Node lengths = b.AlongAxis(b.Convert(c.Input(1), DType.I64), x.Shape, batchAxis);
        Node mirrored = b.Subtract(b.Subtract(lengths, b.Like(lengths, 1)), time);
        Node source = b.Select(b.Compare(time, lengths, CompareDirection.LT), mirrored, time);
        return b.TakeAlong(x, source, timeAxis);
    }
}
