using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// How an argument lies in memory as a tensor of up to five dimensions, of which <see cref="KBulkCopy"/> takes
/// boxes. A parameter of the kernel: whoever starts it makes one of the argument's address. <c>CUtensorMap</c>
/// of the CUDA driver.
/// </summary>
/// <remarks>
/// Dimensions are listed from the fastest, whose elements are neighbours. What the machine asks for is what
/// <see cref="GpuTensorMap"/> says: the first element and all strides at multiples of 16 bytes, boxes of 1 to 256 in each
/// dimension, lines of a box of a multiple of 16 bytes, and of 128 where they are swizzled.
/// </remarks>
/// <param name="name">The name in Kernel IR text.</param>
/// <param name="source">An argument that is only read.</param>
public sealed class KTensorMap(string name, KBuffer source)
{
    /// <summary>The name in Kernel IR text.</summary>
    public string Name { get; } = name;

    /// <summary>The memory.</summary>
    public KBuffer Source { get; } = source;

    /// <summary>How many elements there are in each dimension, over symbols and constants.</summary>
    public required ValueList<KExpr> Sizes { get; init; }

    /// <summary>The distance of neighbours, in elements, of all dimensions but the first.</summary>
    public required ValueList<KExpr> Strides { get; init; }

    /// <summary>Where the first element lies, in elements.</summary>
    public KExpr Offset { get; init; } = 0;

    /// <summary>How many elements a box has in each dimension.</summary>
    public required ValueList<int> Box { get; init; }

    /// <summary>Whether pieces of 16 bytes change places within lines of 128 bytes of shared memory: see <see cref="KBulkCopy"/>.</summary>
    public bool IsSwizzled { get; init; }

    /// <summary>Whether f32 is rounded to TF32 (10 bits of fraction, to nearest even; infinities and NaN stay) on its way.</summary>
    public bool RoundsToTensorFloat32 { get; init; }

    /// <summary>The elements of a box.</summary>
    public int BoxElements => Box.Aggregate(1, (n, b) => n * b);

    /// <summary>The bytes of a box.</summary>
    public int BoxBytes => BoxElements * Source.Element.SizeInBytes();

    /// <summary>The same map with its numbers in other terms.</summary>
    public KTensorMap With(Func<KExpr, KExpr> replace) => new(Name, Source)
    {
        Sizes = [.. Sizes.Select(replace)],
        Strides = [.. Strides.Select(replace)],
        Offset = replace(Offset),
        Box = Box,
        IsSwizzled = IsSwizzled,
        RoundsToTensorFloat32 = RoundsToTensorFloat32,
    };

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>
/// Begins to copy a box of a tensor to shared memory; what of it lies outside of the tensor arrives as zeros. All
/// threads of the warp must come, and one copy is made. It has arrived for whoever waits for the barrier's phase, which
/// counts the box's bytes.
/// </summary>
/// <remarks>
/// The box lies there line after line. Where the map is swizzled, the piece of 16 bytes at address a, counted from the
/// beginning of shared memory, is at a xor 16 (a / 128 mod 8): neighbouring lines of 128 bytes have the same piece in
/// different banks. The order is that of the asynchronous proxy in PTX: what threads themselves wrote there in the same
/// task must not be overwritten by it.
/// </remarks>
/// <param name="To">Shared memory.</param>
/// <param name="ToIndex">Where the box begins, i64, in elements: a multiple of 128 bytes.</param>
/// <param name="From">The tensor.</param>
/// <param name="At">The coordinates of the box's first element, scalar i64, from the fastest dimension; may lie outside.</param>
/// <param name="Barriers">The barriers that count it.</param>
/// <param name="Barrier">Which of them.</param>
public sealed record KBulkCopy(
    KBuffer To, KExpr ToIndex, KTensorMap From, ValueList<KExpr> At, KPhaseBarriers Barriers, KExpr Barrier) : KStmt;
