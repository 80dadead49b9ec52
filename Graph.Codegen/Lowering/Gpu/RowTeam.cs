namespace Graphene.Codegen;

/// <summary>The threads that reduce a row together, and the order in which they do.</summary>
/// <remarks>
/// The order depends on the length of the row alone, not on who computes it:
/// <code>
/// element i of a segment of 1024    joins lane i mod 32, in order; lanes join by halves: 0 with 16, 1 with 17, ... then 0 with 8 ...
/// segments of a chunk of 8192       join in order
/// chunks                            join in order; the initial value joins last
/// </code>
/// Up to 1024 elements that is the order of the processor (<see cref="ExprEmitter.ReductionLanes"/>), so the bits are its bits. A team of
/// P threads has 32 / P lanes of the order in each of them: thread p has the lanes p, p + P, ... and joins those first.
/// <code>
/// length      threads a row    elements a thread
/// 1..32       1..8             up to 4
/// 33..256     8..32            5..8, eight neighbours read whole sectors of 32 bytes
/// ..1024      32, a warp       up to 32 in registers
/// ..32768     32 to 1024       32 in registers, a warp has a segment
/// </code>
/// </remarks>
/// <param name="Length">The elements of a row.</param>
internal readonly record struct RowTeam(long Length)
{
    /// <summary>The elements that a warp reduces.</summary>
    public const int Segment = 1024;

    /// <summary>The segments that join before others do.</summary>
    public const int SegmentsPerChunk = 8;

    /// <summary>The elements of so many segments.</summary>
    public const int Chunk = Segment * SegmentsPerChunk;

    /// <summary>The longest row that the registers of a block hold.</summary>
    public const int MostHeld = Segment * KThreads.Most / KThreads.WarpSize;

    private const int ThreadsPerBlock = 128;

    /// <summary>The threads of a warp that take a row: a power of two.</summary>
    public int Width => (int)Math.Min(KThreads.WarpSize, NextPowerOfTwo(DimMath.CeilDiv(Length, Length <= KThreads.WarpSize ? 4 : 8)));

    /// <summary>The warps that take a row.</summary>
    public int Warps => (int)DimMath.CeilDiv(Length, Segment);

    /// <summary>The elements that a thread has.</summary>
    public int Lanes => Warps > 1 ? Segment / KThreads.WarpSize : (int)DimMath.CeilDiv(Length, Width);

    /// <summary>The lanes of the order that a thread has.</summary>
    public int Sums => KThreads.WarpSize / Width;

    /// <summary>The threads of a block.</summary>
    public int Threads => Warps > 1 ? Warps * KThreads.WarpSize : ThreadsPerBlock;

    /// <summary>The rows of a block.</summary>
    public int RowsPerBlock => Warps > 1 ? 1 : ThreadsPerBlock / Width;

    /// <summary>Whether every thread has all of its elements.</summary>
    public bool IsFull => Length == (long)Warps * Width * Lanes;

    private static long NextPowerOfTwo(long n)
    {
        long power = 1;
        while (power < n)
        {
            power *= 2;
        }
        return power;
    }
}
