using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>What a compiled plan is for: the outputs that are fetched, in order.</summary>
/// <remarks>
/// Shapes are not part of it: one plan serves every value of the symbolic dims. Nor are feeds, because a plan takes
/// exactly the
/// inputs that its outputs need.
/// </remarks>
internal sealed record PlanKey
{
    private readonly string _text;

    /// <summary>Makes a key of output numbers.</summary>
    public PlanKey(ImmutableArray<int> outputs)
    {
        Outputs = outputs;
        _text = string.Join(',', outputs);
    }

    /// <summary>The outputs that are fetched.</summary>
    public ImmutableArray<int> Outputs { get; }

    /// <inheritdoc/>
    public bool Equals(PlanKey? other) => other is not null && other._text == _text;

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(_text, StringComparison.Ordinal);
}
