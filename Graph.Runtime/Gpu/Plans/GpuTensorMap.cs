using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>A tensor in a buffer of a plan, of which a kernel copies boxes: what a driver is to encode when the buffer's address is known.</summary>
/// <remarks>Dimensions are listed from the fastest, whose elements are neighbours. What lies outside of the tensor is read as zero.</remarks>
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
    internal string? Problem
    {
        get
        {
            int size = Element.IsComplex() || Element == DType.Bool ? 0 : Element.SizeInBytes();
            int line = Box.IsEmpty ? 0 : Box[0] * size;
            return size == 0 ? $"there is none of {Element.Name()}"
                : Sizes.Length is 0 or > MostDimensions || StridesInBytes.Length != Sizes.Length - 1 || Box.Length != Sizes.Length
                    ? $"it has {Sizes.Length} dimensions, {StridesInBytes.Length} strides and a box of {Box.Length}"
                : Box.Any(b => b is < 1 or > MostBox) ? $"a box has 1 to {MostBox} elements in each dimension"
                : line % Granule != 0 || (IsSwizzled && line != SwizzledBytes) ? $"a line of its box has {line} bytes"
                : RoundsToTensorFloat32 && Element != DType.F32 ? $"{Element.Name()} is not rounded to TF32"
                : null;
        }
    }
}

/// <summary>A tensor map whose buffer has an address, and whose numbers have values.</summary>
/// <param name="Map">What does not change.</param>
/// <param name="Address">Where the first element lies.</param>
/// <param name="Sizes">Elements in each dimension; one of nothing is never used.</param>
/// <param name="StridesInBytes">The distance of neighbours in all dimensions but the first.</param>
/// <param name="Bytes">The bytes from the first element to the buffer's end, for devices that check accesses; 0 for others.</param>
internal sealed record BoundMap(GpuTensorMap Map, nint Address, long[] Sizes, long[] StridesInBytes, long Bytes);
