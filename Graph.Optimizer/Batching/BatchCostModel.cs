namespace Graphene.Optimizer;

/// <summary>The numbers behind batches, in bytes.</summary>
internal static class BatchCostModel
{
    /// <summary>
    /// What one fusion of a batch may hold for others or take from them. A batch comes between a value and its reader what the other
    /// members read and write, so it may have left the near caches; a call costs a few microseconds, in which this much memory is read.
    /// </summary>
    public const long MostBytesHeldByOne = 1 << 20;

    /// <summary>Fusions in one batch: what it is called with lies on the stack.</summary>
    public const int MostMembers = 512;

    // A batch needs the operands of all of its members at once. This much more memory is not worth an argument.
    private const long SpareBytesAlways = 64 * 1024;
    private const long SpareParts = 32;

    /// <summary>How much an arena may grow by batches.</summary>
    public static long SpareBytes(long arenaBytes) => Math.Max(SpareBytesAlways, arenaBytes / SpareParts);
}
