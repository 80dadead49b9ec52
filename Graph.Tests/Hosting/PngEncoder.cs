using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Graphene.Samples.Digits;

namespace Graphene.Tests.Hosting;

/// <summary>Writes PNG files for tests: right ones with any filter, and wrong ones piece by piece.</summary>
internal static class PngEncoder
{
    public static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A file of grey pixels.</summary>
    public static byte[] Grey(GreyImage image, int filter = 0) => Encode(image.Width, image.Height, 0, image.Pixels, 1, filter);

    /// <summary>A file of pixels of any kind.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="color">The number of the kind.</param>
    /// <param name="pixels">The bytes, row by row.</param>
    /// <param name="pixelBytes">Bytes of a pixel.</param>
    /// <param name="filter">The filter of all lines; -1 takes another one for each.</param>
    /// <param name="between">Chunks between the header and the pixels.</param>
    public static byte[] Encode(
        int width, int height, int color, byte[] pixels, int pixelBytes, int filter, params byte[][] between) => Join(
            [Signature, Header(width, height, color), .. between,
                Chunk("IDAT", Deflate(Filter(pixels, height, width * pixelBytes, pixelBytes, filter))), Chunk("IEND", [])]);

    public static byte[] Header(int width, int height, int color, int bits = 8, int interlace = 0)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = (byte)bits;
        header[9] = (byte)color;
        header[12] = (byte)interlace;
        return Chunk("IHDR", header);
    }

    public static byte[] Chunk(string type, byte[] content)
    {
        byte[] chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        content.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), Crc32.Of(chunk.AsSpan(4, 4 + content.Length)));
        return chunk;
    }

    public static byte[] Deflate(byte[] bytes)
    {
        using var result = new MemoryStream();
        using (var stream = new ZLibStream(result, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(bytes);
        }
        return result.ToArray();
    }

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    // Each byte less what the filter predicts for it.
    private static byte[] Filter(byte[] pixels, int height, int lineBytes, int step, int filter)
    {
        byte[] lines = new byte[height * (1 + lineBytes)];
        for (int y = 0; y < height; y++)
        {
            int kind = filter < 0 ? y % 5 : filter;
            lines[y * (1 + lineBytes)] = (byte)kind;
            for (int i = 0; i < lineBytes; i++)
            {
                int a = i < step ? 0 : At(y, i - step);
                int b = y == 0 ? 0 : At(y - 1, i);
                int c = i < step || y == 0 ? 0 : At(y - 1, i - step);
                int prediction = kind switch { 1 => a, 2 => b, 3 => (a + b) / 2, 4 => Paeth(a, b, c), _ => 0 };
                lines[(y * (1 + lineBytes)) + 1 + i] = (byte)(At(y, i) - prediction);
            }
        }
        return lines;

        int At(int y, int i) => pixels[(y * lineBytes) + i];
    }

    // The one of the three that is nearest to a + b - c; ties go to a, then b.
    private static int Paeth(int a, int b, int c) =>
        new[] { a, b, c }.OrderBy(value => Math.Abs(a + b - c - value)).First();
}
