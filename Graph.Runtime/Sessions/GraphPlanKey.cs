using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>What a plan of a <see cref="Session"/> for a graph is for. Tensors and operations are compared as objects.</summary>
internal sealed class GraphPlanKey : IEquatable<GraphPlanKey>
{
    private readonly int _hash;

    /// <summary>Makes a key.</summary>
    public GraphPlanKey(
        ImmutableArray<Tensor> fetches, ImmutableArray<Tensor>? feeds, ImmutableArray<Operation> targets)
    {
        Fetches = fetches;
        Feeds = feeds;
        Targets = targets;
        var hash = default(HashCode);
        hash.Add(feeds is null);
        foreach (object part in Parts)
        {
            hash.Add(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(part));
        }
        _hash = hash.ToHashCode();
    }

    /// <summary>What is computed.</summary>
    public ImmutableArray<Tensor> Fetches { get; }

    /// <summary>What is given; null for the placeholders that are needed.</summary>
    public ImmutableArray<Tensor>? Feeds { get; }

    /// <summary>What is done.</summary>
    public ImmutableArray<Operation> Targets { get; }

    private IEnumerable<object> Parts => [.. Fetches, .. Feeds ?? [], .. Targets];

    /// <summary>Says how a key differs from the one before.</summary>
    public static string Difference(GraphPlanKey last, GraphPlanKey now)
    {
        IEnumerable<string> Names(ImmutableArray<Tensor> tensors) => tensors.Select(t => t.ToString());
        return !last.Fetches.SequenceEqual(now.Fetches)
            ? PlanCompilation.Difference("fetches", Names(last.Fetches), Names(now.Fetches))
            : !(last.Feeds ?? []).SequenceEqual(now.Feeds ?? [])
                ? PlanCompilation.Difference("feeds", Names(last.Feeds ?? []), Names(now.Feeds ?? []))
                : "its targets differ from those of the plan used last";
    }

    /// <inheritdoc/>
    public bool Equals(GraphPlanKey? other) =>
        other is not null
        && _hash == other._hash
        && Fetches.SequenceEqual(other.Fetches)
        && Feeds is null == other.Feeds is null
        && (Feeds ?? []).SequenceEqual(other.Feeds ?? [])
        && Targets.SequenceEqual(other.Targets);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as GraphPlanKey);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;
}
