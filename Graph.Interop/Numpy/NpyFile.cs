using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Graphene.Interop.Numpy;

/// <summary>Reads and writes NumPy's <c>.npy</c> files, formats 1.0 to 3.0.</summary>
/// <remarks>
/// A file is taken as hostile: nothing is allocated before the header's shape is checked against the file's length, and no
/// Python object is ever read. Values come back row-major and little-endian whatever the file's order was.
/// </remarks>
public static class NpyFile
{
    private const int MaxHeaderLength = 64 * 1024;
    private const int MaxRank = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads an array.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GraphException">GR4101 to GR4105: the file cannot be opened, or is no array that can be used.</exception>
    public static Literal Read(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new GraphException(
                NpyDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the path and its permissions", inner: e);
        }
    }

    /// <summary>Reads an array that fills the rest of a stream.</summary>
    /// <param name="stream">A stream that knows its length, at the start of the array.</param>
    /// <param name="name">What to call the stream in messages.</param>
    /// <exception cref="GraphException">GR4102 to GR4105.</exception>
    public static Literal Read(Stream stream, string name)
    {
        (NpyHeader header, DType type, bool bigEndian, long sizeInBytes) = ReadLayout(stream, name);
        byte[] bytes = new byte[sizeInBytes];
        stream.ReadExactly(bytes);
        if (bigEndian)
        {
            ReverseEachElement(bytes, type.SizeInBytes());
        }
        if (type == DType.Bool)
        {
            // Whoever computes with a bool relies on 0 and 1; a file may hold anything.
            foreach (ref byte b in bytes.AsSpan())
            {
                b = b != 0 ? (byte)1 : (byte)0;
            }
        }
        long[] dims = [.. header.Shape];
        if (header.FortranOrder && dims.Length > 1)
        {
            bytes = ToRowMajor(bytes, dims, type.SizeInBytes());
        }
        return new Literal(new TensorType(type, Shape.Of(dims)), bytes);
    }

    /// <summary>Writes an array in format 1.0; bf16, which NumPy does not have, as f32 of the same values.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="value">The array.</param>
    /// <exception cref="GraphException">GR4101: the file cannot be written.</exception>
    public static void Write(string path, Literal value)
    {
        try
        {
            using FileStream file = File.Create(path);
            Write(file, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new GraphException(
                NpyDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the folder and its permissions", inner: e);
        }
    }

    /// <summary>Writes an array to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="value">The array.</param>
    public static void Write(Stream stream, Literal value)
    {
        string text = new NpyHeader(NpyElementType.Describe(value.DType), false, value.Shape.ToStatic()).ToText();
        // The data starts at a multiple of 64, for whoever maps the file; the header ends in a newline.
        int padded = ((Magic.Length + 4 + text.Length + 1 + 63) / 64 * 64) - Magic.Length - 4;
        byte[] prefix = new byte[Magic.Length + 4 + padded];
        Magic.CopyTo(prefix);
        prefix[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(prefix.AsSpan(8), checked((ushort)padded));
        Encoding.ASCII.GetBytes((text.PadRight(padded - 1) + "\n").AsSpan(), prefix.AsSpan(10));
        stream.Write(prefix);
        if (value.DType == DType.BF16)
        {
            float[] widened = new float[value.ElementCount];
            ReadOnlySpan<BFloat16> elements = value.As<BFloat16>();
            for (int i = 0; i < widened.Length; i++)
            {
                widened[i] = elements[i];
            }
            stream.Write(MemoryMarshal.AsBytes(widened.AsSpan()));
            return;
        }
        stream.Write(value.Bytes.Span);
    }

    /// <summary>Reads the type of an array that fills the rest of a stream, without its elements.</summary>
    /// <exception cref="GraphException">GR4102 to GR4105.</exception>
    internal static TensorType ReadType(Stream stream, string name)
    {
        (NpyHeader header, DType type, _, _) = ReadLayout(stream, name);
        return new TensorType(type, Shape.Of([.. header.Shape]));
    }

    private static (NpyHeader Header, DType Type, bool BigEndian, long SizeInBytes) ReadLayout(Stream stream, string name)
    {
        NpyHeader header = ReadHeader(stream, name);
        if (!NpyElementType.TryParse(header.Descr, out DType type, out bool bigEndian))
        {
            throw new GraphException(
                NpyDiagnosticIds.UnsupportedType, $"{name}: elements of type '{header.Descr}' are not supported", name,
                "Graphene reads bool, i8..i64, u8..u64, f16, f32 and f64", "convert the array with astype before saving it");
        }

        long sizeInBytes = SizeInBytes(header, type, name);
        long available = stream.Length - stream.Position;
        if (available != sizeInBytes)
        {
            throw new GraphException(
                NpyDiagnosticIds.Damaged,
                $"{name}: the shape ({string.Join(", ", header.Shape)}) of '{header.Descr}' takes {sizeInBytes} bytes, " +
                $"but {available} follow the header",
                name, "a .npy file holds exactly one array", "save the array again");
        }
        return (header, type, bigEndian, sizeInBytes);
    }

    private static NpyHeader ReadHeader(Stream stream, string name)
    {
        Span<byte> start = stackalloc byte[12];
        int read = stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false);
        if (read < 10 || !start[..6].SequenceEqual(Magic))
        {
            throw new GraphException(
                NpyDiagnosticIds.NotNpy, $"{name}: this is not a .npy file", name, "it does not start with \\x93NUMPY",
                "save one array with numpy.save");
        }
        byte version = start[6];
        if (version is < 1 or > 3)
        {
            throw Damaged(name, $"format version {version} is not known");
        }
        uint length = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (version >= 2)
        {
            if (stream.ReadAtLeast(start.Slice(10, 2), 2, throwOnEndOfStream: false) < 2)
            {
                throw Damaged(name, "the header is cut off");
            }
            length = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        }
        if (length > MaxHeaderLength || length > stream.Length - stream.Position)
        {
            throw Damaged(name, $"a header of {length} bytes is too long for this file");
        }
        byte[] header = new byte[length];
        stream.ReadExactly(header);
        return NpyHeader.TryParse(Encoding.UTF8.GetString(header), out string problem) ?? throw Damaged(name, problem);
    }

    private static long SizeInBytes(NpyHeader header, DType type, string name)
    {
        UInt128 size = (UInt128)type.SizeInBytes();
        if (header.Shape.Count > MaxRank)
        {
            throw new GraphException(
                NpyDiagnosticIds.TooLarge, $"{name}: {header.Shape.Count} dimensions are more than {MaxRank}", name);
        }
        // The extents besides a zero count too: a value of 2^62 x 0 elements is empty but its indices overflow.
        foreach (long dim in header.Shape)
        {
            size *= (UInt128)Math.Max(dim, 1);
            if (size > (UInt128)Array.MaxLength)
            {
                throw new GraphException(
                    NpyDiagnosticIds.TooLarge,
                    $"{name}: an array of shape ({string.Join(", ", header.Shape)}) of '{header.Descr}' is too large", name,
                    $"a value may have up to {Array.MaxLength} bytes", "split the array");
            }
        }
        return header.Shape.Contains(0) ? 0 : (long)size;
    }

    private static void ReverseEachElement(byte[] bytes, int size)
    {
        for (int i = 0; i < bytes.Length; i += size)
        {
            bytes.AsSpan(i, size).Reverse();
        }
    }

    private static byte[] ToRowMajor(byte[] bytes, long[] dims, int size)
    {
        byte[] result = new byte[bytes.Length];
        long[] at = new long[dims.Length];
        for (int target = 0; target < result.Length; target += size)
        {
            long source = 0;
            for (int axis = dims.Length - 1; axis >= 0; axis--)
            {
                source = (source * dims[axis]) + at[axis];
            }
            bytes.AsSpan((int)(source * size), size).CopyTo(result.AsSpan(target));
            for (int axis = dims.Length - 1; axis >= 0 && ++at[axis] == dims[axis]; axis--)
            {
                at[axis] = 0;
            }
        }
        return result;
    }

    private static GraphException Damaged(string name, string problem) =>
        new(NpyDiagnosticIds.Damaged, $"{name}: {problem}", name, fix: "save the array again with numpy.save");
}
