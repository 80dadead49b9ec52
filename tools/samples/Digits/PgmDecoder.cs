using System.Buffers.Text;

namespace Graphene.Samples.Digits;

/// <summary>Reads binary PGM files ("P5") of one byte a pixel.</summary>
public static class PgmDecoder
{
    /// <summary>Whether a file says that it is one.</summary>
    public static bool Fits(ReadOnlySpan<byte> file) => file.StartsWith("P5"u8);

    /// <summary>Reads one.</summary>
    /// <exception cref="ImageFormatException">It is none, or too large.</exception>
    public static GreyImage Decode(ReadOnlySpan<byte> file)
    {
        if (!Fits(file))
        {
            throw new ImageFormatException("not a binary PGM file: it does not begin with P5");
        }
        int at = 2;
        int width = Number(file, ref at, "width", GreyImage.MaxSide);
        int height = Number(file, ref at, "height", GreyImage.MaxSide);
        int white = Number(file, ref at, "greatest value", byte.MaxValue);
        if (at >= file.Length || !IsSpace(file[at]))
        {
            throw new ImageFormatException("damaged PGM file: no pixels follow the header");
        }
        ReadOnlySpan<byte> pixels = file[(at + 1)..];
        if (pixels.Length != width * height)
        {
            throw new ImageFormatException($"damaged PGM file: {pixels.Length} bytes for {width} x {height} pixels");
        }
        byte[] scaled = new byte[pixels.Length];
        for (int i = 0; i < scaled.Length; i++)
        {
            scaled[i] = (byte)(Math.Min((int)pixels[i], white) * byte.MaxValue / white);
        }
        return new GreyImage(width, height, scaled);
    }

    private static int Number(ReadOnlySpan<byte> file, ref int at, string what, int most)
    {
        int start = at;
        while (at < file.Length && (IsSpace(file[at]) || file[at] == '#'))
        {
            at = file[at] == '#' ? EndOfLine(file, at) : at + 1;
        }
        if (at == start || !Utf8Parser.TryParse(file[at..], out int value, out int length) || value < 1)
        {
            throw new ImageFormatException($"damaged PGM file: no {what} in its header");
        }
        at += length;
        return value <= most ? value : throw new ImageFormatException($"the PGM file's {what} is {value}; the most is {most}");
    }

    private static int EndOfLine(ReadOnlySpan<byte> file, int at)
    {
        int length = file[at..].IndexOf((byte)'\n');
        return length < 0 ? file.Length : at + length;
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r';
}
