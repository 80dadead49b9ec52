using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>What schedules need to know about a GPU.</summary>
/// <param name="Architecture">The compute capability as a number: 80 for sm_80.</param>
/// <param name="HasArchitectureFeatures">True for the variants that run on that architecture alone, such as sm_90a.</param>
public sealed record GpuTarget(int Architecture, bool HasArchitectureFeatures = false)
{
    private const int RegistersPerMultiprocessor = 1 << 16;
    private const int MostRegisters = 255;

    // Four vectors of 16 bytes on their way, their places, and what functions need: 512 threads of these keep memory busy.
    private const int RegistersOfLoops = 128;

    /// <summary>How many multiprocessors there are: how many tasks keep the machine busy.</summary>
    public int Multiprocessors { get; init; } = Architecture >= 90 ? 132 : 108;

    /// <summary>The most shared memory that a task can have, in bytes.</summary>
    public int SharedBytesPerTask { get; init; } = Architecture switch
    {
        >= 100 => 227 << 10,
        >= 90 => 227 << 10,
        86 or 89 => 99 << 10,
        >= 80 => 163 << 10,
        75 => 64 << 10,
        _ => 96 << 10,
    };

    /// <summary>Whether memory can be copied to shared memory past the registers.</summary>
    public bool HasAsyncCopies => Architecture >= 80;

    /// <summary>Whether warps multiply fragments of all types that <see cref="KFragmentShape"/> names.</summary>
    public bool HasMatrixInstructions => Architecture >= 80;

    /// <summary>
    /// Whether four warps multiply from shared memory, which bulk copies fill: what sm_90a has, and no
    /// later architecture.
    /// </summary>
    public bool HasWarpgroupProducts => Architecture == 90 && HasArchitectureFeatures;

    /// <summary>
    /// Whether sums of tensor cores may be cut into parts that are added afterwards, where there are too few tiles for
    /// all multiprocessors. How many parts depends on the sizes known while compiling, never on a run; but products
    /// with other numbers of rows may have other bits.
    /// </summary>
    public bool CutsSums { get; init; } = true;

    /// <summary>Whether products of f32 may round their operands to TF32; off unless a user asks for it.</summary>
    public bool AllowsTensorFloat32 { get; init; }

    /// <summary>
    /// Which tiles of products were measured to be the fastest; null for those that a model of the
    /// machine expects to be.
    /// </summary>
    public ProductTuning? Tuning { get; init; }

    /// <summary>
    /// How many tasks a multiprocessor has registers for. The assembler is told for kernels whose registers are few
    /// enough to be traded: where it is not, it spills some of them for one task more than they would allow.
    /// </summary>
    /// <param name="threads">The threads of a task.</param>
    /// <param name="registers">What a thread may need, in words.</param>
    internal static int TasksOf(int threads, int registers = RegistersOfLoops) =>
        Math.Max(1, RegistersPerMultiprocessor / (threads * Math.Min(registers, MostRegisters)));

    /// <summary>A caller's choices, with what the schedules for this GPU can do that those for processors cannot.</summary>
    internal static OptimizerOptions Adapt(OptimizerOptions options) => options with
    {
        HalfAttention = true,
        Winograd = WinogradTiles.None,
        Machine = MachineTraits.Gpu,
    };

    /// <summary>As in PTX: <c>sm_90a</c>.</summary>
    public override string ToString() => $"sm_{Architecture}{(HasArchitectureFeatures ? "a" : "")}";
}
