namespace Graphene.Codegen;

/// <summary>The sizes of what a task of threads computes at a time.</summary>
/// <param name="Rows">Rows of the results that a task computes.</param>
/// <param name="Columns">Columns of them.</param>
/// <param name="Depth">How many terms are in shared memory at once, in one place of the ring.</param>
/// <param name="WarpsDown">How many warps share the rows.</param>
/// <param name="WarpsAcross">How many warps share the columns.</param>
/// <param name="Stages">How many places the ring has.</param>
internal sealed record ProductTile(int Rows, int Columns, int Depth, int WarpsDown, int WarpsAcross, int Stages)
{
    /// <summary>Threads of a task.</summary>
    public int Threads => WarpsDown * WarpsAcross * KThreads.WarpSize;

    /// <summary>Rows of a warp.</summary>
    public int WarpRows => Rows / WarpsDown;

    /// <summary>Columns of a warp.</summary>
    public int WarpColumns => Columns / WarpsAcross;

    /// <summary>Sums of a thread.</summary>
    public int SumsPerThread => Rows * Columns / Threads;

    /// <summary>Shared memory of the ring.</summary>
    public int RingBytes(int elementSize) => (Rows + Columns) * Depth * Stages * elementSize;
}

/// <summary>How sums are computed.</summary>
internal enum ProductUnit
{
    /// <summary>By each thread for itself: a chain of multiply-adds for each sum, in the order of k.</summary>
    Lanes,

    /// <summary>By matrix instructions.</summary>
    Fragments,

    /// <summary>
    /// By matrix instructions of four warps, which read operands in shared memory themselves: see
    /// <see cref="WarpgroupRing"/>.
    /// </summary>
    Warpgroups,
}
