namespace Graphene;

/// <summary>Words that rules for many elements are written with.</summary>
internal static class Vectorizing
{
    /// <summary>A tensor repeated along a new first dimension.</summary>
    public static Node Repeated(this GraphBuilder b, Node x, Dim size) =>
        b.BroadcastInDim(x, [size, .. x.Shape], Axes.Range(1, x.Rank));

    /// <summary>Axes behind a new first dimension.</summary>
    public static Axes Behind(this Axes axes) => Axes.From(axes.Select(axis => axis + 1));

    /// <summary>The new first dimension, then axes behind it.</summary>
    public static Axes WithFirst(this Axes axes) => Axes.From([0, .. axes.Behind()]);

    /// <summary>A dimension moved to the front.</summary>
    public static Node ToFront(this GraphBuilder b, Node x, int axis) =>
        b.Transpose(x, Axes.From([axis, .. Enumerable.Range(0, x.Rank).Where(a => a != axis)]));

    /// <summary>The first dimension merged into another one (counted without the first), whose index varies faster.</summary>
    public static Node MergeFirst(this GraphBuilder b, Node x, int axis)
    {
        int[] order = [.. Enumerable.Range(1, axis), 0, .. Enumerable.Range(axis + 1, x.Rank - axis - 1)];
        Shape merged = x.Shape.Without([0]);
        return b.Reshape(b.Transpose(x, Axes.From(order)), merged.With(axis, merged[axis] * x.Shape[0]));
    }

    /// <summary>The opposite of <see cref="MergeFirst"/>.</summary>
    public static Node SplitFirst(this GraphBuilder b, Node x, int axis, Dim size)
    {
        Dim rest = Dim.FloorDiv(x.Shape[axis], size);
        Dim[] split = [.. x.Shape.Take(axis), size, rest, .. x.Shape.Skip(axis + 1)];
        return b.ToFront(b.Reshape(x, Shape.From(split)), axis);
    }
}
