using System.Buffers.Binary;
using System.IO.Compression;

namespace Graphene.Samples.Digits;

/// <summary>Reads PNG files of eight bits a channel: grey, colours, palettes, with and without transparency, not interlaced.</summary>
/// <remarks>
/// <para>
/// Files come from strangers. Sizes are bounded before memory is taken, the compressed data may not hold one byte more than the
/// picture needs, and whatever breaks the specification (PNG, third edition) is refused with a reason.
/// </para>
/// <para>Colours become grey by their luma (BT.601); what is transparent lies on white paper.</para>
/// </remarks>
public static class PngDecoder
{
    /// <summary>The largest file that is read.</summary>
    public const int MaxBytes = 1 << 20;

    private const int ChunkOverhead = 12; // length, type, checksum

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads a picture.</summary>
    /// <exception cref="ImageFormatException">The file is none that is supported, damaged, or too large.</exception>
    public static GreyImage Decode(ReadOnlyMemory<byte> file)
    {
        if (file.Length > MaxBytes)
        {
            throw new ImageFormatException($"the picture has {file.Length} bytes; the most is {MaxBytes}");
        }
        if (!file.Span.StartsWith(Signature))
        {
            throw new ImageFormatException("not a PNG file");
        }
        PngHeader? header = null;
        byte[] palette = [];
        byte[] transparency = [];
        using var data = new MemoryStream();
        bool dataEnded = false;
        for (int at = Signature.Length; ;)
        {
            (string type, ReadOnlyMemory<byte> content) = ReadChunk(file, ref at);
            if ((header is null) != (type == "IHDR"))
            {
                throw new ImageFormatException("damaged PNG file: its header must come first, and once");
            }
            dataEnded |= data.Length > 0 && type != "IDAT";
            switch (type)
            {
                case "IHDR":
                    header = PngHeader.Read(content.Span);
                    break;
                case "PLTE" when palette.Length == 0 && data.Length == 0:
                    palette = Palette(content.Span);
                    break;
                case "tRNS" when transparency.Length == 0 && data.Length == 0:
                    transparency = content.ToArray();
                    break;
                case "IDAT" when !dataEnded:
                    data.Write(content.Span);
                    break;
                case "IEND" when content.IsEmpty && at == file.Length:
                    return new PngPixels(header!, palette, transparency).ToGrey(Inflate(data, header!));
                case "PLTE" or "tRNS" or "IDAT" or "IEND":
                    throw new ImageFormatException($"damaged PNG file: {type} in the wrong place");
                default:
                    if (char.IsAsciiLetterUpper(type[0]))
                    {
                        throw new ImageFormatException($"the PNG file needs {type}, which is not known here");
                    }
                    break; // a reader may skip chunks that are not critical
            }
        }
    }

    private static (string Type, ReadOnlyMemory<byte> Content) ReadChunk(ReadOnlyMemory<byte> file, ref int at)
    {
        ReadOnlyMemory<byte> rest = file[at..];
        if (rest.Length < ChunkOverhead)
        {
            throw new ImageFormatException("damaged PNG file: it ends too early");
        }
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest.Span);
        if (length > rest.Length - ChunkOverhead)
        {
            throw new ImageFormatException("damaged PNG file: a chunk is longer than the file");
        }
        ReadOnlySpan<byte> checkedBytes = rest.Span.Slice(4, 4 + (int)length);
        if (Crc32.Of(checkedBytes) != BinaryPrimitives.ReadUInt32BigEndian(rest.Span[(8 + (int)length)..]))
        {
            throw new ImageFormatException("damaged PNG file: a checksum is wrong");
        }
        foreach (byte letter in checkedBytes[..4])
        {
            if (!char.IsAsciiLetter((char)letter))
            {
                throw new ImageFormatException("damaged PNG file: a chunk has no name");
            }
        }
        at += ChunkOverhead + (int)length;
        return (string.Create(4, rest, (text, chunk) => System.Text.Encoding.ASCII.GetChars(chunk.Span.Slice(4, 4), text)),
            rest.Slice(8, (int)length));
    }

    private static byte[] Palette(ReadOnlySpan<byte> content) => content.Length is > 0 and <= 256 * 3 && content.Length % 3 == 0
        ? content.ToArray()
        : throw new ImageFormatException("damaged PNG file: its palette has an impossible size");

    private static byte[] Inflate(MemoryStream data, PngHeader header)
    {
        byte[] lines = new byte[header.Height * (1 + header.LineBytes)];
        data.Position = 0;
        try
        {
            using var inflated = new ZLibStream(data, CompressionMode.Decompress);
            int read = inflated.ReadAtLeast(lines, lines.Length, throwOnEndOfStream: false);
            if (read < lines.Length)
            {
                throw new ImageFormatException($"damaged PNG file: {read} bytes of pixels, {lines.Length} are needed");
            }
            if (inflated.ReadByte() >= 0)
            {
                throw new ImageFormatException("damaged PNG file: it holds more pixels than its header says");
            }
            return lines;
        }
        catch (InvalidDataException e)
        {
            throw new ImageFormatException("damaged PNG file: its pixels cannot be decompressed", e);
        }
    }
}
