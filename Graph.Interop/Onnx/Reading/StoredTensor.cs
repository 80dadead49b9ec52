namespace Graphene.Interop.Onnx.Reading;

/// <summary>A tensor as read from a file: its elements row-major and little-endian, one or more whole bytes each.</summary>
/// <param name="Name">The tensor's name, or where it stands.</param>
/// <param name="Format">The element type.</param>
/// <param name="Dims">The extents, none negative.</param>
/// <param name="Bytes">The elements; 4-bit and 2-bit types take a byte each, signed ones sign-extended.</param>
/// <param name="Left">Set instead of <paramref name="Bytes"/> when the elements are left where they are.</param>
internal sealed record StoredTensor(
    string Name, ElementFormat Format, long[] Dims, ReadOnlyMemory<byte> Bytes, StoredBytes? Left = null)
{
    /// <summary>The number of elements.</summary>
    public long Count => Dims.Aggregate(1L, (product, dim) => product * dim);
}
