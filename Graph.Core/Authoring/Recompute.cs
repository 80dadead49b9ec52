namespace Graphene;

/// <summary>What a checkpointed part of a graph computes again for its gradient.</summary>
public enum Recompute
{
    /// <summary>Everything but its results: the least memory.</summary>
    Everything,

    /// <summary>Everything but matrix products and convolutions, which are kept: little time for most of the memory.</summary>
    AllButProducts,
}
