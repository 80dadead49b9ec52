namespace Graphene.Optimizer;

/// <summary>Where a fusion asks for elements of a node, in terms of the fusion's loops.</summary>
/// <remarks>
/// A fusion loops over a space, for example rows and columns. A node is asked for at a projection when each of its dimensions is
/// one loop counter (or has size 1): a row mean in a softmax sits at [row], a bias at [column], a transposed operand at
/// [column, row]. Everything else (a slice, a gather, a regrouping reshape) is a computed place.
/// </remarks>
internal sealed class FusionPosition
{
    private FusionPosition(int[]? axes, bool repeats)
    {
        Axes = axes;
        Repeats = repeats;
    }

    /// <summary>The only element of a scalar.</summary>
    public static FusionPosition Scalar { get; } = new([], false);

    /// <summary>A computed place that asks for no element twice.</summary>
    public static FusionPosition ComputedOnce { get; } = new(null, false);

    /// <summary>A computed place that may ask for an element many times.</summary>
    public static FusionPosition ComputedOften { get; } = new(null, true);

    /// <summary>
    /// For a projection: the loop of each dimension of the node, -1 for a dimension of size 1. Null for
    /// a computed place.
    /// </summary>
    public int[]? Axes { get; }

    /// <summary>For a computed place: elements may be asked for many times.</summary>
    public bool Repeats { get; }

    /// <summary>A projection.</summary>
    public static FusionPosition At(IEnumerable<int> axes) => new([.. axes], false);

    /// <summary>Each dimension of the node is the loop with the same number.</summary>
    public static FusionPosition Identity(Shape shape) => At(shape.Select((dim, axis) => dim == 1 ? -1 : axis));

    /// <summary>Equal places; two computed places are never known to be equal.</summary>
    public bool SameAs(FusionPosition other) =>
        Axes is not null && other.Axes is not null && Axes.AsSpan().SequenceEqual(other.Axes);

    /// <summary>The same projection after the loops were renumbered.</summary>
    public FusionPosition Renumber(int[] newAxis) => Axes is null ? this : At(Axes.Select(axis => axis < 0 ? -1 : newAxis[axis]));
}
