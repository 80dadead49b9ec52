namespace Graphene;

/// <summary>What composites have in common: errors in their own name, axes counted from the end, wide arithmetic.</summary>
internal static class CompositeSite
{
    /// <summary>A place to report errors about a composite as if it were an op.</summary>
    public static OpSite Site(this GraphBuilder b, string name, params ReadOnlySpan<Node> operands) =>
        new(new CompositeName(name), [.. operands], b);

    /// <summary>An axis with negative ones counted from the end.</summary>
    public static int Axis(this OpSite site, int axis, int rank)
    {
        site.Require(
            axis >= -rank && axis < rank, DiagnosticId.BadAxis, $"axis {axis} is not one of a tensor of rank {rank}",
            fix: rank > 0 ? $"choose one of {-rank}..{rank - 1}" : "a scalar has no axes");
        return axis < 0 ? axis + rank : axis;
    }

    /// <summary>Axes with negative ones counted from the end, ascending; null for all.</summary>
    public static Axes AxesOrAll(this OpSite site, IReadOnlyList<int>? axes, int rank)
    {
        if (axes is null)
        {
            return Axes.Range(rank);
        }
        Axes result = Axes.From(axes.Select(a => site.Axis(a, rank)).Order());
        site.Require(result.AreUniqueBelow(rank), DiagnosticId.BadAxis, $"axes {result} name one twice");
        return result;
    }

    /// <summary>A static extent, for what needs to know it while building.</summary>
    public static long Static(this OpSite site, Dim dim, string what)
    {
        site.Require(
            dim.IsStatic, DiagnosticId.StaticDimRequired, $"{what} is {dim}, it must be a number",
            fix: "give the dimension a fixed size");
        return dim.Value;
    }

    /// <summary>
    /// Computes in f32 what was given as f16 or bf16, and rounds the result once: sums and exponentials of 16-bit values lose
    /// most of their digits otherwise.
    /// </summary>
    public static Node Widened(this GraphBuilder b, Node x, Func<Node, Node> compute) =>
        x.DType is DType.F16 or DType.BF16
            ? b.Convert(compute(b.Convert(x, DType.F32)), x.DType)
            : compute(x);

    /// <summary>A number in every element of the shape of <paramref name="x"/>, in its dtype.</summary>
    public static Node Like(this GraphBuilder b, Node x, double value) => b.Splat(x.DType, x.Shape, value);

    private sealed record CompositeName(string Composite) : Op(Composite);
}
