namespace Graphene;

/// <summary>A named dimension whose value is known only when the graph runs.</summary>
/// <param name="Name">The name; symbols are the same when name and bounds are.</param>
/// <param name="Min">The smallest value that may be fed, at least 0.</param>
/// <param name="Max">The largest value that may be fed.</param>
public sealed record DimSymbol(string Name, long Min = 0, long Max = DimSymbol.Unbounded)
{
    /// <summary>The bound of a symbol for which none was given; large enough for any tensor that fits in memory.</summary>
    public const long Unbounded = int.MaxValue;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
