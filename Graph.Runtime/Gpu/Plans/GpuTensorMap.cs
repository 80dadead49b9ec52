using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>
/// A tensor in a buffer of a plan, of which a kernel copies boxes: what a driver is to encode when the
/// buffer's address is known.
/// </summary>
/// <remarks>
/// Dimensions are listed from the fastest, whose elements are neighbours. What lies outside of the tensor
/// is read as zero.
/// </remarks>
/// <param name="Buffer">The buffer.</param>
/// <param name="Element">The type of its elements.</param>
public sealed record GpuTensorMap(int Buffer, DType Element)
{
    /// <summary>The most dimensions.</summary>
    public const int MostDimensions = 5;

    /// <summary>The most elements of a box in a dimension.</summary>
    public const int MostBox = 256;

    /// <summary>What the first element's place, strides and lines of boxes are multiples of, in bytes.</summary>
    public const int Granule = 16;

    /// <summary>The bytes of a line of a box whose pieces change places in shared memory.</summary>
    public const int SwizzledBytes = 128;

    /// <summary>How far behind the buffer's beginning the first element lies.</summary>
    public Dim OffsetInBytes { get; init; } = 0;

    /// <summary>Elements in each dimension.</summary>
    public ImmutableArray<Dim> Sizes { get; init; } = [];

    /// <summary>The distance of neighbours in all dimensions but the first.</summary>
    public ImmutableArray<Dim> StridesInBytes { get; init; } = [];

    /// <summary>Elements of a box in each dimension.</summary>
    public ImmutableArray<int> Box { get; init; } = [];

    /// <summary>Whether pieces of 16 bytes change places within lines of 128 bytes of shared memory.</summary>
    public bool IsSwizzled { get; init; }

    /// <summary>Whether f32 is rounded to TF32 when it is copied.</summary>
    public bool RoundsToTensorFloat32 { get; init; }

    /// <summary>What cannot be encoded, whatever the values of symbols; null for nothing.</summary>
    internal string? Problem => ProblemOf(Element, Sizes.Length, StridesInBytes.Length, Box, IsSwizzled, RoundsToTensorFloat32);

    /// <summary>What no driver encodes (CUDA driver API, <c>cuTensorMapEncodeTiled</c>); null for nothing.</summary>
    /// <param name="element">The type of the elements.</param>
    /// <param name="sizes">How many dimensions have a size.</param>
    /// <param name="strides">How many have a stride.</param>
    /// <param name="box">Elements of a box in each dimension.</param>
    /// <param name="isSwizzled">Whether pieces of lines change places.</param>
    /// <param name="rounds">Whether elements are rounded to TF32.</param>
    internal static string? ProblemOf(
        DType element, int sizes, int strides, IReadOnlyList<int> box, bool isSwizzled, bool rounds)
    {
        bool hasMaps = element != DType.Bool && !element.IsComplex();
        int line = !hasMaps || box.Count == 0 ? 0 : box[0] * element.SizeInBytes();
        return !hasMaps ? $"there are no maps of {element.Name()}"
            : sizes is 0 or > MostDimensions ? $"a map has 1 to {MostDimensions} dimensions, not {sizes}"
            : strides != sizes - 1 || box.Count != sizes
                ? $"{sizes} dimensions have {sizes - 1} strides and as many sides of a box as dimensions"
            : box.Any(b => b is < 1 or > MostBox) ? $"a box has 1 to {MostBox} elements in each dimension"
            : line % Granule != 0 ? $"lines of a box have a multiple of {Granule} bytes, not {line}"
            : isSwizzled && line != SwizzledBytes ? $"swizzled lines have {SwizzledBytes} bytes, not {line}"
            : rounds && element != DType.F32 ? $"{element.Name()} is not rounded to TF32"
            : null;
    }
}

/// <summary>A tensor map whose buffer has an address, and whose numbers have values.</summary>
/// <param name="Map">What does not change.</param>
/// <param name="Address">Where the first element lies.</param>
/// <param name="Sizes">Elements in each dimension; one of nothing is never used.</param>
/// <param name="StridesInBytes">The distance of neighbours in all dimensions but the first.</param>
/// <param name="Bytes">The bytes from the first element to the buffer's end, for devices that check accesses; 0 for others.</param>
internal sealed record BoundMap(GpuTensorMap Map, nint Address, long[] Sizes, long[] StridesInBytes, long Bytes);
