using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Google.Protobuf.Collections;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Turns every encoding of a tensor in a file into plain bytes, and refuses what contradicts itself.</summary>
/// <param name="source">The file that the messages came from; holds the bytes of large tensors.</param>
/// <param name="external">Where external data is read.</param>
/// <param name="options">The limits.</param>
internal sealed class TensorReader(ByteSource source, ExternalDataFolder external, OnnxLoadOptions options)
{
    // Smaller tensors are cheaper to keep than to read several times.
    private const long LeastLeftBytes = 64 << 10;

    /// <summary>Reads a tensor. Large ones are read from the file now, each into memory of its own, or left there.</summary>
    /// <param name="tensor">The message.</param>
    /// <param name="name">How errors call it.</param>
    public StoredTensor Read(TensorProto tensor, string name)
    {
        ElementFormat format = FormatOf(tensor, name);
        long[] dims = [.. tensor.Dims];
        long count = CountOf(name, dims, format);
        if (tensor.Segment is not null)
        {
            throw OnnxErrors.BadTensor(name, "a tensor is stored in segments", "no version of ONNX writes segments");
        }
        long storedBytes = format.StoredBytes(count);
        if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
        {
            IEnumerable<KeyValuePair<string, string>> entries =
                tensor.ExternalData.Select(e => KeyValuePair.Create(e.Key, e.Value));
            return MayStay(format, storedBytes) && external.TryLeave(name, entries, storedBytes) is { } there
                ? new StoredTensor(name, format, dims, default, there)
                : new StoredTensor(name, format, dims, Unpack(format, count, external.Read(name, entries, storedBytes)));
        }
        RefuseSecondEncoding(tensor, name, format);
        long rawLength = RawLength(tensor);
        if (rawLength > 0)
        {
            if (rawLength != storedBytes)
            {
                throw WrongLength(name, format, dims, $"{storedBytes} bytes", $"{rawLength}");
            }
            return MayStay(format, storedBytes) && source.TryLeave(tensor.LargeDataOffset, rawLength, name) is { } here
                ? new StoredTensor(name, format, dims, default, here)
                : new StoredTensor(name, format, dims, Unpack(format, count, RawData(tensor, name)));
        }
        return new StoredTensor(name, format, dims, FromTypedField(tensor, name, format, dims, count));
    }

    /// <summary>Reads a sparse tensor into its dense form.</summary>
    public StoredTensor ReadSparse(SparseTensorProto sparse, string name)
    {
        if (sparse.Values is null || sparse.Indices is null)
        {
            throw OnnxErrors.BadTensor(name, "a sparse tensor has no values or no indices", "both must be there");
        }
        var whole = new TensorReader(source, external, options with { LeavesTensorsInFile = false });
        StoredTensor values = whole.Read(sparse.Values, name);
        StoredTensor indices = whole.Read(sparse.Indices, $"{name} (indices)");
        long[] dims = [.. sparse.Dims];
        long count = CountOf(name, dims, values.Format);
        if (count * values.Format.UnpackedBytes > options.MaxDenseBytes)
        {
            throw OnnxErrors.TooLarge(name, $"the dense form of a sparse tensor takes more than {options.MaxDenseBytes} bytes");
        }
        bool linear = indices.Dims.Length == 1 && indices.Dims[0] == values.Count;
        bool coordinates = indices.Dims.Length == 2 && indices.Dims[0] == values.Count && indices.Dims[1] == dims.Length;
        if (indices.Format.Type != OnnxDataType.Int64 || values.Dims.Length != 1 || !(linear || coordinates))
        {
            throw OnnxErrors.BadTensor(
                name, "the indices of a sparse tensor do not fit its values", "they must be i64 of shape [NNZ] or [NNZ, rank]");
        }
        int size = values.Format.UnpackedBytes;
        byte[] dense = new byte[count * size];
        ReadOnlySpan<long> at = MemoryMarshal.Cast<byte, long>(indices.Bytes.Span);
        for (int i = 0; i < values.Count; i++)
        {
            long position = linear ? at[i] : Linear(at.Slice(i * dims.Length, dims.Length), dims);
            if (position < 0 || position >= count)
            {
                throw OnnxErrors.BadTensor(name, $"entry {i} of a sparse tensor lies outside of it", "indices must be in range");
            }
            values.Bytes.Span.Slice(i * size, size).CopyTo(dense.AsSpan((int)(position * size)));
        }
        return new StoredTensor(name, values.Format, dims, dense);
    }

    // Truth values are looked at while they are read, and packed elements are spread out.
    private bool MayStay(ElementFormat format, long storedBytes) =>
        options.LeavesTensorsInFile && storedBytes >= LeastLeftBytes && !format.IsPacked && format.Type != OnnxDataType.Bool;

    private static long Linear(ReadOnlySpan<long> index, long[] dims)
    {
        long position = 0;
        for (int axis = 0; axis < dims.Length; axis++)
        {
            if (index[axis] < 0 || index[axis] >= dims[axis])
            {
                return -1;
            }
            position = (position * dims[axis]) + index[axis];
        }
        return position;
    }

    private static ElementFormat FormatOf(TensorProto tensor, string name)
    {
        if (tensor.DataType == (int)OnnxDataType.Undefined)
        {
            throw OnnxErrors.BadTensor(name, "a tensor has no element type", "data_type is not set");
        }
        ElementFormat format = ElementFormat.Find(tensor.DataType) ?? throw OnnxErrors.BadTensor(
            name, $"a tensor has the unknown element type {tensor.DataType}", "ONNX defines the numbers 1 to 26");
        if (format.Type == OnnxDataType.String)
        {
            throw new GraphException(
                OnnxDiagnosticIds.UnsupportedType, "onnx: tensors of text are not supported", name,
                "Graphene computes with numbers and truth values", "leave text processing out of the exported model");
        }
        return format;
    }

    private static long CountOf(string name, long[] dims, ElementFormat format)
    {
        Int128 count = 1;
        foreach (long dim in dims)
        {
            if (dim < 0)
            {
                throw OnnxErrors.BadTensor(
                    name, $"a tensor has the shape [{string.Join(", ", dims)}]", "dimensions must not be negative");
            }
            // A zero makes the tensor empty, but the other extents must still be ones that 64 bits can multiply.
            count = Int128.Min(count * Math.Max(dim, 1), (Int128)long.MaxValue + 1);
        }
        bool isEmpty = Array.IndexOf(dims, 0L) >= 0;
        long limit = isEmpty ? long.MaxValue / 16 : Array.MaxLength / format.UnpackedBytes;
        if (count > limit)
        {
            throw OnnxErrors.TooLarge(name, $"a tensor of shape [{string.Join(", ", dims)}] takes more than {Array.MaxLength} bytes");
        }
        return isEmpty ? 0 : (long)count;
    }

    private static GraphException WrongLength(string name, ElementFormat format, long[] dims, string needed, string found) =>
        OnnxErrors.BadTensor(
            name, $"the data of a tensor does not fit its type {format.Name}[{string.Join(",", dims)}]",
            $"the shape asks for {needed}, the file holds {found}");

    private static long RawLength(TensorProto tensor) =>
        tensor.LargeDataLength > 0 ? tensor.LargeDataLength : tensor.RawData.Length;

    private ReadOnlyMemory<byte> RawData(TensorProto tensor, string name)
    {
        if (tensor.LargeDataLength == 0)
        {
            return tensor.RawData.Memory;
        }
        try
        {
            return source.ReadPart(tensor.LargeDataOffset, (int)tensor.LargeDataLength);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw OnnxErrors.BadTensor(name, "the data of a tensor can no longer be read", e.Message);
        }
    }

    private static void RefuseSecondEncoding(TensorProto tensor, string name, ElementFormat format)
    {
        (TypedField Field, int Count)[] fields =
        [
            (TypedField.Float, tensor.FloatData.Count),
            (TypedField.Int32, tensor.Int32Data.Count),
            (TypedField.Int64, tensor.Int64Data.Count),
            (TypedField.Double, tensor.DoubleData.Count),
            (TypedField.UInt64, tensor.Uint64Data.Count),
            (TypedField.Text, tensor.StringData.Count),
        ];
        foreach ((TypedField field, int count) in fields)
        {
            if (count > 0 && (field != format.Field || RawLength(tensor) > 0))
            {
                throw OnnxErrors.BadTensor(
                    name, $"a tensor of type {format.Name} holds data in the field for {field} values",
                    RawLength(tensor) == 0 ? $"its type is stored in raw_data or the field for {format.Field}" : "it has raw_data too");
            }
        }
    }

    private static ReadOnlyMemory<byte> FromTypedField(
        TensorProto tensor, string name, ElementFormat format, long[] dims, long count)
    {
        long perElement = format.Type is OnnxDataType.Complex64 or OnnxDataType.Complex128 ? 2 : 1;
        long needed = format.IsPacked ? format.StoredBytes(count) : count * perElement;
        int found = format.Field switch
        {
            TypedField.Float => tensor.FloatData.Count,
            TypedField.Int32 => tensor.Int32Data.Count,
            TypedField.Int64 => tensor.Int64Data.Count,
            TypedField.Double => tensor.DoubleData.Count,
            _ => tensor.Uint64Data.Count,
        };
        if (found != needed)
        {
            throw WrongLength(name, format, dims, $"{needed} values", $"{found}");
        }
        byte[] bytes = new byte[format.IsPacked ? needed : count * format.UnpackedBytes];
        switch (format.Field)
        {
            case TypedField.Float:
                MemoryMarshal.AsBytes(tensor.FloatData.ToArray().AsSpan()).CopyTo(bytes);
                break;
            case TypedField.Double:
                MemoryMarshal.AsBytes(tensor.DoubleData.ToArray().AsSpan()).CopyTo(bytes);
                break;
            case TypedField.Int64:
                MemoryMarshal.AsBytes(tensor.Int64Data.ToArray().AsSpan()).CopyTo(bytes);
                break;
            case TypedField.Int32:
                WriteLowBytes(tensor.Int32Data, format.IsPacked ? 1 : format.UnpackedBytes, bytes, v => v);
                break;
            default:
                WriteLowBytes(tensor.Uint64Data, format.UnpackedBytes, bytes, v => unchecked((long)v));
                break;
        }
        return Unpack(format, count, bytes);
    }

    private static void WriteLowBytes<T>(RepeatedField<T> values, int size, byte[] target, Func<T, long> widen)
    {
        Span<byte> whole = stackalloc byte[8];
        for (int i = 0; i < values.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(whole, widen(values[i]));
            whole[..size].CopyTo(target.AsSpan(i * size));
        }
    }

    // 4-bit: element 0 in bits 0-3 of byte 0, element 1 in bits 4-7, ...; 2-bit likewise with four per byte.
    private static ReadOnlyMemory<byte> Unpack(ElementFormat format, long count, ReadOnlyMemory<byte> packed)
    {
        if (!format.IsPacked)
        {
            return packed;
        }
        int perByte = 8 / format.Bits;
        int mask = (1 << format.Bits) - 1;
        int signBit = format.Type is OnnxDataType.Int4 or OnnxDataType.Int2 ? 1 << (format.Bits - 1) : 0;
        ReadOnlySpan<byte> source = packed.Span;
        byte[] elements = new byte[count];
        for (int i = 0; i < elements.Length; i++)
        {
            int value = (source[i / perByte] >> (i % perByte * format.Bits)) & mask;
            elements[i] = unchecked((byte)((value ^ signBit) - signBit));
        }
        return elements;
    }
}
