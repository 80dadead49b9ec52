using Graphene.Codegen.Llvm;
using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>What schedules need to know about the machine that will run the kernels.</summary>
/// <param name="VectorBits">The width of the vectors that schedules use: 128, 256 or 512.</param>
/// <param name="VectorRegisters">How many such vectors the registers hold: 8, 16 or 32.</param>
/// <param name="Caches">The caches of one processor.</param>
public sealed record KernelTarget(int VectorBits, int VectorRegisters, CacheSizes Caches)
{
    // What vectors are where there are none: LLVM takes them apart into their elements.
    private const int ScalarBits = 128;

    /// <summary>The instructions for products of narrow elements.</summary>
    public DotInstructions Dots { get; init; }

    /// <summary>
    /// Whether a multiply-add rounds once. Elsewhere those of sums and polynomials round twice, and no schedule may count on the
    /// one rounding.
    /// </summary>
    public bool HasFma { get; init; } = true;

    /// <summary>Whether half a vector takes half the time of a whole one.</summary>
    public bool HalvesVectors { get; init; }

    /// <summary>
    /// Whether loops over functions are software-pipelined, see <see cref="PipelinedLoop"/>: on x86-64, where that was measured.
    /// </summary>
    public bool PipelinesLoops { get; init; }

    /// <summary>
    /// What decides the panels of packed constants where several machines read the same ones; null for a
    /// machine of its own.
    /// </summary>
    public SharedPanels? Panels { get; init; }

    /// <summary>
    /// The size from which a result is written around the caches, if what is read and written with it exceeds <see cref="CachedBytes"/>. With
    /// nothing else to read it soon that pays from twice the second cache on, with a reader right after it from 32 MiB on; between the two it
    /// gains and loses less than a tenth.
    /// </summary>
    public long StreamedBytes { get; init; } = 16 << 20;

    /// <summary>What the caches of all processors keep together, for a reader or for the next run.</summary>
    internal long CachedBytes => 2 * StreamedBytes;

    /// <summary>Whether what is read is too large to be in the caches of a processor, which then asks for it ahead of time.</summary>
    internal bool ComesFromMemory(long bytes) => Gpu is null && bytes > StreamedBytes;

    /// <summary>
    /// The most vectors of sums that a register tile has, besides what <see cref="VectorRegisters"/> allows. An engine for WebAssembly
    /// allocates registers in little time, in the order of the code: with more than this it spills.
    /// </summary>
    public int MostSums { get; init; } = int.MaxValue;

    /// <summary>
    /// How many steps of k a register tile takes in a row. In WebAssembly it is one: LLVM puts the loads of all of them
    /// first, and the engine keeps that order, for which there are not enough registers.
    /// </summary>
    public int UnrolledSteps { get; init; } = 4;

    /// <summary>
    /// The largest tiles of convolutions that <see cref="WinogradForm"/> chooses; those that the optimizer ran with, because such
    /// convolutions look for their border themselves.
    /// </summary>
    public WinogradTiles Winograd { get; init; }

    /// <summary>The GPU that runs the kernels, by many threads each; null for a processor.</summary>
    public GpuTarget? Gpu { get; init; }

    /// <summary>What schedules need to know about a GPU.</summary>
    /// <param name="gpu">The GPU.</param>
    /// <remarks>A thread's vectors are the 16 bytes that it accesses at once.</remarks>
    public static KernelTarget Of(GpuTarget gpu) => new(128, 32, CacheSizes.Typical) { Gpu = gpu };

    /// <summary>What schedules need to know about a target.</summary>
    /// <param name="target">The instructions.</param>
    /// <param name="caches">The caches; null for those of a machine that is not known.</param>
    /// <remarks>
    /// A machine without vectors has 32 registers of one number (RISC-V) or as many as it likes (WebAssembly): eight vectors of 128
    /// bits that are taken apart. Tiles of sums so are as large as those registers hold, and constants are packed as for machines of
    /// the same kind that do have such vectors.
    /// </remarks>
    public static KernelTarget Of(LlvmTarget target, CacheSizes? caches = null)
    {
        int bits = target.VectorBits;
        int registers = bits == 0 ? 8
            : bits >= 512 || target.Architecture is LlvmArchitecture.Arm64 or LlvmArchitecture.RiscV64 ? 32
            : 16;
        return new KernelTarget(bits == 0 ? ScalarBits : bits, registers, caches ?? CacheSizes.Typical)
        {
            Dots = DotInstructionSet.Of(target),
            HasFma = target.HasFma,
            HalvesVectors = target.HalvesVectors,
            PipelinesLoops = target.Architecture == LlvmArchitecture.X64,
            MostSums = target.Architecture != LlvmArchitecture.Wasm32 ? int.MaxValue : target.VectorBits > 0 ? 9 : 2,
            UnrolledSteps = target.Architecture == LlvmArchitecture.Wasm32 ? 1 : 4,
        };
    }

    /// <summary>The machine as schedules see it with what a caller allows.</summary>
    /// <param name="options">The choices that the optimizer runs with; null for the defaults.</param>
    public KernelTarget For(OptimizerOptions? options) => this with
    {
        Winograd = Gpu is null ? (options ?? OptimizerOptions.Default).Winograd : WinogradTiles.None,
    };

    /// <summary>How many elements of a type fill a vector register.</summary>
    public int Lanes(DType type) => VectorBits / type.SizeInBits();

    /// <summary>
    /// How many elements vectors hold that lie along a dimension side by side, the last of them filled up with what is computed in
    /// vain: a register, or half of one where that takes half the time and leaves a tenth less to compute.
    /// </summary>
    /// <param name="type">The type of the elements.</param>
    /// <param name="extent">The dimension.</param>
    public int Lanes(DType type, Dim extent)
    {
        int lanes = Lanes(type);
        if (!HalvesVectors || !extent.IsStatic)
        {
            return lanes;
        }
        int half = lanes / 2;
        bool isWorthwhile = DimMath.CeilDiv(extent.Value, half) * half * 10 <= DimMath.CeilDiv(extent.Value, lanes) * lanes * 9;
        return isWorthwhile ? half : lanes;
    }
}
