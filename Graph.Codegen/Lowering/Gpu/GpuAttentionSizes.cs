namespace Graphene.Codegen;

/// <summary>The sizes of a block of threads that computes attention.</summary>
/// <param name="Stored">The element type of queries, keys and values in shared memory.</param>
/// <param name="Sum">The type of scores, weights and sums.</param>
/// <param name="UsesFragments">Whether products are those of fragments.</param>
/// <param name="Warps">How many warps.</param>
/// <param name="RowsPerThread">Without fragments: how many queries a thread has scores of.</param>
/// <param name="Keys">Keys per tile.</param>
/// <param name="Depth">Elements of a query.</param>
/// <param name="Columns">Elements of a value.</param>
internal sealed record GpuAttentionSizes(
    DType Stored, DType Sum, bool UsesFragments, int Warps, int RowsPerThread, int Keys, int Depth, int Columns)
{
    /// <summary>Without fragments: how many neighbouring threads share their queries, each with every 16th key.</summary>
    public const int ThreadsPerRow = 16;

    private const int LargestFragmentColumns = 256;

    private static readonly int[] KeysOfTiles = [64, 32, 16];

    // Sums of results in registers of a thread; scores and operands come on top, without fragments many of them.
    private const int LargestFragmentSumsInBytes = 512;
    private const int LargestSumsInBytes = 256;

    /// <summary>Threads of the block.</summary>
    public int Threads => Warps * KThreads.WarpSize;

    /// <summary>Queries of the block.</summary>
    public int Queries => UsesFragments ? 16 * Warps : RowsPerThread * GroupsOfThreads;

    /// <summary>Without fragments: how many queries are computed at once, one for each group of threads.</summary>
    public int GroupsOfThreads => Threads / ThreadsPerRow;

    /// <summary>How many elements are 16 bytes.</summary>
    public int Chunk => 16 / Stored.SizeInBytes();

    /// <summary>What a row of queries or keys is filled up to with zeros.</summary>
    public int PaddedDepth => AttentionTiles.RoundUp(Depth, UsesFragments ? 16 : Chunk);

    /// <summary>What a row of values is filled up to with zeros.</summary>
    public int PaddedColumns => UsesFragments ? AttentionTiles.RoundUp(Columns, 16) : ThreadsPerRow * ColumnLanes * ColumnVectors;

    /// <summary>Without fragments: how many consecutive columns a thread sums.</summary>
    public int ColumnLanes
    {
        get
        {
            int lanes = 1;
            while (lanes < Chunk && ThreadsPerRow * lanes < Columns)
            {
                lanes *= 2;
            }
            return lanes;
        }
    }

    /// <summary>Without fragments: how many such groups of columns a thread has.</summary>
    public int ColumnVectors => (Columns + (ThreadsPerRow * ColumnLanes) - 1) / (ThreadsPerRow * ColumnLanes);

    /// <summary>The distance of queries, and of keys, in shared memory.</summary>
    public int DepthPitch => Pitch(PaddedDepth);

    /// <summary>The distance of values in shared memory.</summary>
    public int ColumnPitch => Pitch(AttentionTiles.RoundUp(PaddedColumns, Chunk));

    /// <summary>Without fragments: the distance of rows of weights in shared memory.</summary>
    public int WeightPitch => Pitch(Keys);

    private long SharedBytes
    {
        get
        {
            long tiles = ((long)(Queries + Keys) * DepthPitch) + ((long)Keys * ColumnPitch);
            long weights = UsesFragments ? 0 : (long)Queries * WeightPitch;
            return (tiles * Stored.SizeInBytes()) + (weights * Sum.SizeInBytes());
        }
    }

    /// <summary>The largest block that the GPU has room for; null when it has room for none.</summary>
    /// <param name="element">The type of queries.</param>
    /// <param name="depth">Elements of a query.</param>
    /// <param name="columns">Elements of a value.</param>
    /// <param name="queries">How many queries there are.</param>
    /// <param name="gpu">The GPU.</param>
    public static GpuAttentionSizes? Choose(DType element, int depth, int columns, Dim queries, GpuTarget gpu)
    {
        DType sum = element is DType.F16 or DType.BF16 ? DType.F32 : element;
        bool fragments = (sum != element || (element == DType.F32 && gpu.AllowsTensorFloat32)) && gpu.HasMatrixInstructions &&
            columns <= LargestFragmentColumns;
        long some = queries.IsStatic ? queries.Value : long.MaxValue;
        IEnumerable<(int Warps, int Rows)> blocks = fragments ? [(4, 8), (2, 8), (1, 8)]
            : sum == DType.F64 ? [(4, 4), (2, 4), (1, 4), (1, 2), (1, 1)]
            : [(4, 8), (4, 4), (4, 2), (2, 4), (1, 8), (1, 4), (1, 2), (1, 1)];
        GpuAttentionSizes[] all =
        [
            .. blocks.SelectMany(b => KeysOfTiles.Select(keys => new GpuAttentionSizes(
                fragments ? element : sum, sum, fragments, b.Warps, b.Rows, keys, depth, columns))),
        ];
        GpuAttentionSizes[] fitting =
        [
            .. all.Where(s => s.SharedBytes <= gpu.SharedBytesPerTask && s.ScoresFit &&
                s.SumsInBytes <= (fragments ? LargestFragmentSumsInBytes : LargestSumsInBytes)),
        ];
        // As many queries as there are, or as many as fit; among those as many keys as fit.
        return fitting.LastOrDefault(s => s.Queries >= some) is { } enough
            ? fitting.First(s => s.Queries == enough.Queries && s.Warps == enough.Warps)
            : fitting.FirstOrDefault();
    }

    private int SumsInBytes => UsesFragments
        ? PaddedColumns / 8 * 16
        : RowsPerThread * ColumnVectors * ColumnLanes * Sum.SizeInBytes();

    // Scores take registers beside the sums of results.
    private bool ScoresFit => UsesFragments
        ? Keys <= (PaddedColumns > 128 ? 32 : 64)
        : RowsPerThread * (Keys / ThreadsPerRow) * Sum.SizeInBytes() <= 128;

    // An odd number of 16 bytes: rows that are read together begin in different banks.
    private int Pitch(int length) => length / Chunk % 2 == 0 ? length + Chunk : length;
}
