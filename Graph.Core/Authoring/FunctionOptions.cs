using System.Collections.Immutable;

namespace Graphene;

/// <summary>When a function is traced, and how many traces it may have.</summary>
public sealed record FunctionOptions
{
    /// <summary>
    /// The types of the arguments, with symbolic sizes where they may vary: the function is traced once, for these. Null to trace
    /// for the types that it is called with.
    /// </summary>
    public IReadOnlyList<TensorType>? Signature { get; init; }

    /// <summary>
    /// Whether a size in which a call differs from a trace becomes symbolic in the next trace, which then serves every such size.
    /// </summary>
    public bool GeneralizeSizes { get; init; } = true;

    /// <summary>The most traces that are kept; the one used longest ago makes room.</summary>
    public int MaxTraces { get; init; } = 16;

    /// <summary>How often the function may be traced before that is an error: it means that something varies which should not.</summary>
    public int RetraceLimit { get; init; } = 32;

    internal FunctionOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTraces, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetraceLimit, 1);
        return this with { Signature = Signature?.ToImmutableArray() };
    }
}
