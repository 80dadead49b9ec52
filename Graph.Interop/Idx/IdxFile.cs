using System.Buffers.Binary;
using System.IO.Compression;

namespace Graphene.Interop.Idx;

/// <summary>Reads and writes arrays in the IDX format, in which MNIST is published, plain or compressed by gzip.</summary>
/// <remarks>
/// <para>
/// The format: two zero bytes, a byte for the element type, a byte for the number of dimensions, each dimension as a big-endian
/// 32-bit number, then the elements, row-major and big-endian.
/// </para>
/// <para>A file is taken as hostile: the header's size is checked against what the file can hold before anything is
/// allocated, and the elements must end where the file does.</para>
/// </remarks>
public static class IdxFile
{
    private const int MaxRank = 16;
    private const int MostInflated = 1032; // deflate codes at most 258 bytes in 2 bits

    private static readonly (byte Code, DType Type)[] _types =
    [
        (0x08, DType.U8), (0x09, DType.I8), (0x0B, DType.I16), (0x0C, DType.I32), (0x0D, DType.F32), (0x0E, DType.F64),
    ];

    private static ReadOnlySpan<byte> GzipMagic => [0x1F, 0x8B];

    /// <summary>Reads an array; whether the file is compressed is seen from its first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The most bytes that it may take; by default 256 MiB, or 32 times the file.</param>
    /// <exception cref="GraphException">GR4201 to GR4203: the file cannot be opened, or is no array that can be used.</exception>
    public static Literal Read(string path, long? maxBytes = null)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Read(file, path, maxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new GraphException(
                IdxDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the path and its permissions", inner: e);
        }
    }

    /// <summary>Reads an array that fills a stream.</summary>
    /// <param name="stream">A stream that can seek, at its start.</param>
    /// <param name="name">What to call the stream in messages.</param>
    /// <param name="maxBytes">The most bytes that it may take; by default 256 MiB, or 32 times the stream.</param>
    /// <exception cref="GraphException">GR4202, GR4203.</exception>
    public static Literal Read(Stream stream, string name, long? maxBytes = null)
    {
        long length = stream.Length;
        long limit = Math.Min(maxBytes ?? Inflation.LimitOf(length), Array.MaxLength);
        Span<byte> start = stackalloc byte[2];
        bool compressed = stream.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start.SequenceEqual(GzipMagic);
        stream.Position = 0;
        if (!compressed)
        {
            return ReadPlain(stream, name, length, limit);
        }
        try
        {
            using var inflated = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
            return ReadPlain(inflated, name, Math.Min(length, long.MaxValue / MostInflated) * MostInflated, limit);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(name, e.Message);
        }
    }

    /// <summary>Writes an array; compressed when the path ends in <c>.gz</c>.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="value">An array of u8, i8, i16, i32, f32 or f64.</param>
    /// <exception cref="ArgumentException">The format has no such element type, or the array has too many dimensions.</exception>
    /// <exception cref="GraphException">GR4201: the file cannot be written.</exception>
    public static void Write(string path, Literal value)
    {
        int type = Array.FindIndex(_types, t => t.Type == value.DType);
        if (type < 0 || value.Type.Rank > MaxRank)
        {
            throw new ArgumentException($"IDX files cannot hold {value.Type}", nameof(value));
        }
        byte[] header = new byte[4 + (4 * value.Type.Rank)];
        header[2] = _types[type].Code;
        header[3] = (byte)value.Type.Rank;
        for (int axis = 0; axis < value.Type.Rank; axis++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + (4 * axis)), checked((uint)value.Shape[axis].Value));
        }
        byte[] elements = value.Bytes.ToArray();
        ReverseEachElement(elements, value.DType.SizeInBytes());
        try
        {
            using FileStream file = File.Create(path);
            using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(file, CompressionLevel.Optimal) : file;
            stream.Write(header);
            stream.Write(elements);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new GraphException(
                IdxDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the folder and its permissions", inner: e);
        }
    }

    private static Literal ReadPlain(Stream stream, string name, long atMost, long limit)
    {
        Span<byte> magic = stackalloc byte[4];
        int type = -1;
        if (stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && magic is [0, 0, _, _])
        {
            byte code = magic[2];
            type = Array.FindIndex(_types, t => t.Code == code);
        }
        if (type < 0 || magic[3] > MaxRank)
        {
            throw Damaged(name, "it does not begin as an IDX file does: two zeros, an element type, a number of dimensions");
        }
        DType element = _types[type].Type;
        long[] shape = ReadShape(stream, name, magic[3]);
        UInt128 size = (UInt128)element.SizeInBytes();
        foreach (long extent in shape)
        {
            size *= (UInt128)extent; // at most 16 factors below 2^32: checked before the next one
            if (size > (UInt128)limit)
            {
                throw new GraphException(
                    IdxDiagnosticIds.TooLarge,
                    $"{name}: an array of shape [{string.Join(",", shape)}] of {element.Name()} takes more than {limit} bytes", name,
                    "the file is far smaller and may be a trap", "if it is meant to be so, say how much it may take (maxBytes)");
            }
        }
        if (size > (UInt128)atMost)
        {
            throw Damaged(name, $"the shape [{string.Join(",", shape)}] takes {size} bytes, the file can hold {atMost} at most");
        }
        byte[] bytes = new byte[(int)size];
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (read < bytes.Length || stream.ReadByte() >= 0)
        {
            string found = read < bytes.Length ? $"{read}" : "more";
            throw Damaged(name, $"the shape [{string.Join(",", shape)}] takes {size} bytes, but {found} follow");
        }
        ReverseEachElement(bytes, element.SizeInBytes());
        return new Literal(new TensorType(element, Shape.Of(shape)), bytes);
    }

    private static long[] ReadShape(Stream stream, string name, int rank)
    {
        byte[] extents = new byte[4 * rank];
        if (stream.ReadAtLeast(extents, extents.Length, throwOnEndOfStream: false) < extents.Length)
        {
            throw Damaged(name, "its header is cut off");
        }
        long[] shape = new long[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            shape[axis] = BinaryPrimitives.ReadUInt32BigEndian(extents.AsSpan(4 * axis));
        }
        return shape;
    }

    private static void ReverseEachElement(byte[] bytes, int size)
    {
        for (int i = 0; size > 1 && i < bytes.Length; i += size)
        {
            bytes.AsSpan(i, size).Reverse();
        }
    }

    private static GraphException Damaged(string name, string problem) =>
        new(IdxDiagnosticIds.Damaged, $"{name}: {problem}", name, fix: "get the file again");
}
