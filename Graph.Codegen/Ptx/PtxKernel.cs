using System.Collections.Immutable;

namespace Graphene.Codegen.Ptx;

/// <summary>A kernel in a <see cref="PtxModule"/>, and how it is launched.</summary>
/// <param name="Name">The name of its entry.</param>
/// <param name="Threads">The threads of a block; the launch must have exactly these. A block is a task of the kernel.</param>
/// <param name="Buffers">
/// How many pointers the parameters begin with: the kernel's arguments, null for those that it does not touch.
/// </param>
public sealed record PtxKernel(string Name, int Threads, int Buffers)
{
    /// <summary>
    /// The parameters behind the pointers, 64 bits each: first <see cref="Kernel.Sizes"/>, then the symbols of the run that the kernel
    /// reads.
    /// </summary>
    public ImmutableArray<DimSymbol> Symbols { get; init; } = [];

    /// <summary>
    /// How many calls one launch does. Where it is more than one, the only parameter is a table of 64-bit words: the
    /// number of each call's first block, then pointers, sizes and symbols of each call.
    /// </summary>
    public int Members { get; init; } = 1;

    /// <summary>How many tensor maps the parameters end with: 128 bytes each, aligned to 64, as the driver encodes them.</summary>
    public int Maps { get; init; }

    /// <summary>What the beginning of shared memory is a multiple of, in bytes.</summary>
    public int SharedAlignment { get; init; } = SharedMemoryLayout.Alignment;

    /// <summary>The shared memory of a block, in bytes.</summary>
    public int SharedBytes { get; init; }

    /// <summary>
    /// What of it the launch must state; 0 where the code does. More than 48 KiB, so that the entry's limit must be raised first
    /// (<c>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES</c>).
    /// </summary>
    public int DynamicSharedBytes { get; init; }

    /// <summary>The blocks that a multiprocessor has registers for, as the assembler was told; 0 where it was not.</summary>
    public int BlocksPerMultiprocessor { get; init; }
}
