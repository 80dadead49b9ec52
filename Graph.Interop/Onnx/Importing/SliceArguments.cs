namespace Graphene.Interop.Onnx.Importing;

/// <summary>The axes, starts, ends and steps of a Slice, from attributes or from inputs.</summary>
/// <param name="Axes">The sliced axes.</param>
/// <param name="Starts">One per axis; may be symbolic.</param>
/// <param name="Ends">One per axis; may be symbolic, or far beyond the end.</param>
/// <param name="Steps">One per axis, not 0.</param>
internal sealed record SliceArguments(int[] Axes, Dim[] Starts, Dim[] Ends, long[] Steps)
{
    /// <summary>Reads them, or returns null when starts or ends are known only when the graph runs.</summary>
    /// <param name="c">The call.</param>
    /// <param name="rank">The rank of the input.</param>
    /// <param name="isNeeded">True to throw instead of returning null.</param>
    public static SliceArguments? Read(OperatorCall c, int rank, bool isNeeded = false)
    {
        Dim[]? starts = Part(c, "starts", 1, isNeeded);
        Dim[]? ends = Part(c, "ends", 2, isNeeded);
        if (starts is null || ends is null)
        {
            return null;
        }
        long[] axes = c.Ints("axes")?.ToArray() ?? (c.Has(3) ? c.Numbers(3, "axes") : [.. Enumerable.Range(0, starts.Length)]);
        long[] steps = c.Has(4) ? c.Numbers(4, "steps") : [.. Enumerable.Repeat(1L, starts.Length)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
        {
            throw c.Bad(
                $"Slice has {starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps",
                "there must be as many of each");
        }
        if (Array.IndexOf(steps, 0L) >= 0)
        {
            throw c.Bad("Slice has a step of 0", "a step must move");
        }
        return new SliceArguments(c.NormalAxes(axes, rank), starts, ends, steps);
    }

    /// <summary>Start, step and number of elements along the axis at a place, for a known extent.</summary>
    public (long Start, long Step, long Count) Static(int place, long extent)
    {
        long step = Steps[place];
        long start = Bound(Starts[place].Value, extent);
        long end = Bound(Ends[place].Value, extent);
        if (step > 0)
        {
            start = Math.Clamp(start, 0, extent);
            end = Math.Clamp(end, 0, extent);
            return (start, step, Math.Max(0, DimMath.CeilDiv(end - start, step)));
        }
        start = Math.Clamp(start, -1, extent - 1);
        end = Math.Clamp(end, -1, extent - 1);
        return (start, step, Math.Max(0, step == long.MinValue ? (start > end ? 1 : 0) : DimMath.CeilDiv(start - end, -step)));
    }

    private static long Bound(long index, long extent) => index < 0 ? Math.Max(index, -extent - 1) + extent : index;

    private static Dim[]? Part(OperatorCall c, string attribute, int input, bool isNeeded)
    {
        if (c.Ints(attribute) is { } given)
        {
            return [.. given.Select(n => (Dim)n)];
        }
        if (!c.Has(input))
        {
            throw c.Bad($"Slice has no {attribute}", "it must be given");
        }
        return isNeeded ? c.Dims(input, attribute).Elements : c.TryDims(input)?.Elements;
    }
}
