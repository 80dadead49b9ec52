namespace Graphene.Optimizer;

/// <summary>
/// What the optimizer knows about the machine: which of its kernels can take more in one pass over memory, and what computing costs beside
/// moving. It names no schedule.
/// </summary>
public sealed record MachineTraits
{
    /// <summary>
    /// A processor: a row is one thread's, and lies in its caches; what reads across memory, or puts results together
    /// from pieces, is a kernel of its own, and functions are never computed twice.
    /// </summary>
    public static MachineTraits Processor { get; } = new();

    /// <summary>
    /// A GPU: a row is a team's, tiles turn in shared memory, each thread knows the piece it reads, and arithmetic
    /// is all but free.
    /// </summary>
    public static MachineTraits Gpu { get; } = new()
    {
        LongestRow = long.MaxValue,
        FewestRows = 1,
        TurnsTiles = true,
        JoinsPieces = true,
        ReadsBorders = true,
        ReadsPartsAfterHeroes = false,
        MultipliesBytes = false,
        SelectsFirst = false,
        RunsAlongLines = false,
        FlopsPerByte = 10,
    };

    /// <summary>The longest row that stays near while it is reduced and read again; beyond it nothing is gained.</summary>
    public long LongestRow { get; init; } = 1 << 20;

    /// <summary>Rows that keep all threads busy, where a row is one thread's.</summary>
    public long FewestRows { get; init; } = 8;

    /// <summary>Elements so few that idle threads do not matter.</summary>
    public long SmallElements { get; init; } = 1 << 15;

    /// <summary>
    /// Whether a loop fusion may read operands across memory, along one of its loops, and write along
    /// another at full speed.
    /// </summary>
    public bool TurnsTiles { get; init; }

    /// <summary>
    /// Whether concatenations and pads may be computed element by element, inside of any loop fusion and
    /// of what others compute.
    /// </summary>
    public bool JoinsPieces { get; init; }

    /// <summary>
    /// Whether convolutions find the borders of their input by themselves, so that it need not be
    /// stored with its padding.
    /// </summary>
    public bool ReadsBorders { get; init; }

    /// <summary>
    /// Whether what follows a dot or convolution may read a part of a larger tensor, at whatever alignment that has.
    /// </summary>
    public bool ReadsPartsAfterHeroes { get; init; } = true;

    /// <summary>Whether the machine multiplies bytes at least as fast as f32. Others have no instruction that adds up neighbours.</summary>
    public bool MultipliesBytes { get; init; } = true;

    /// <summary>Whether the first few of a sorted line are found without sorting the others.</summary>
    public bool SelectsFirst { get; init; } = true;

    /// <summary>Whether running sums go along a line once, in order, instead of reducing a window for each element.</summary>
    public bool RunsAlongLines { get; init; } = true;

    /// <summary>Operations of f32 that take as long as moving a byte; 0 where functions are dearer than what moves.</summary>
    public int FlopsPerByte { get; init; }
}
