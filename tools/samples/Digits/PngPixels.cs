using System.Buffers.Binary;

namespace Graphene.Samples.Digits;

/// <summary>Turns the decompressed lines of a PNG file into grey pixels.</summary>
internal sealed class PngPixels
{
    private readonly PngHeader _header;
    private readonly byte[] _palette;
    private readonly byte[] _transparency;

    /// <summary>Checks that palette and transparency fit the header.</summary>
    /// <exception cref="ImageFormatException">They do not.</exception>
    public PngPixels(PngHeader header, byte[] palette, byte[] transparency)
    {
        _header = header;
        _palette = palette;
        _transparency = transparency;
        bool fits = header.Color switch
        {
            PngColor.Palette => palette.Length > 0 && transparency.Length <= palette.Length / 3,
            PngColor.Grey => palette.Length == 0 && transparency.Length is 0 or 2,
            PngColor.Rgb => transparency.Length is 0 or 6,
            PngColor.GreyAlpha => palette.Length == 0 && transparency.Length == 0,
            _ => transparency.Length == 0,
        };
        if (!fits)
        {
            throw new ImageFormatException("damaged PNG file: its palette or transparency does not fit its header");
        }
    }

    /// <summary>Undoes the filters in place, line after line, and converts.</summary>
    /// <param name="lines">For each line the number of its filter and its bytes.</param>
    public GreyImage ToGrey(byte[] lines)
    {
        byte[] grey = new byte[_header.Width * _header.Height];
        int stride = 1 + _header.LineBytes;
        Span<byte> above = new byte[_header.LineBytes];
        for (int y = 0; y < _header.Height; y++)
        {
            Span<byte> line = lines.AsSpan((y * stride) + 1, _header.LineBytes);
            Unfilter(lines[y * stride], line, above);
            Span<byte> row = grey.AsSpan(y * _header.Width, _header.Width);
            for (int x = 0; x < row.Length; x++)
            {
                row[x] = GreyOf(line.Slice(x * _header.PixelBytes, _header.PixelBytes));
            }
            above = line;
        }
        return new GreyImage(_header.Width, _header.Height, grey);
    }

    // PNG, third edition, 9.2: each filter adds a prediction from the pixels left (a), above (b) and left above (c).
    private void Unfilter(byte filter, Span<byte> line, ReadOnlySpan<byte> above)
    {
        int step = _header.PixelBytes;
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (int i = step; i < line.Length; i++)
                {
                    line[i] += line[i - step];
                }
                break;
            case 2:
                for (int i = 0; i < line.Length; i++)
                {
                    line[i] += above[i];
                }
                break;
            case 3:
                for (int i = 0; i < line.Length; i++)
                {
                    line[i] += (byte)(((i < step ? 0 : line[i - step]) + above[i]) / 2);
                }
                break;
            case 4:
                for (int i = 0; i < line.Length; i++)
                {
                    line[i] += i < step ? above[i] : (byte)Paeth(line[i - step], above[i], above[i - step]);
                }
                break;
            default:
                throw new ImageFormatException($"damaged PNG file: there is no filter {filter}");
        }
    }

    private static int Paeth(int a, int b, int c)
    {
        int p = a + b - c;
        int fromA = Math.Abs(p - a);
        int fromB = Math.Abs(p - b);
        int fromC = Math.Abs(p - c);
        return fromA <= fromB && fromA <= fromC ? a : fromB <= fromC ? b : c;
    }

    private byte GreyOf(ReadOnlySpan<byte> pixel) => _header.Color switch
    {
        PngColor.Grey => OnPaper(pixel[0], IsTransparentColor(pixel) ? 0 : 255),
        PngColor.GreyAlpha => OnPaper(pixel[0], pixel[1]),
        PngColor.Rgb => OnPaper(Luma(pixel), IsTransparentColor(pixel) ? 0 : 255),
        PngColor.Rgba => OnPaper(Luma(pixel), pixel[3]),
        _ => OfPalette(pixel[0]),
    };

    private byte OfPalette(int number)
    {
        if (number >= _palette.Length / 3)
        {
            throw new ImageFormatException("damaged PNG file: a pixel's colour is not in the palette");
        }
        return OnPaper(Luma(_palette.AsSpan(3 * number, 3)), number < _transparency.Length ? _transparency[number] : 255);
    }

    // One colour may be transparent: 16 bits for each channel, of which the lower 8 count here.
    private bool IsTransparentColor(ReadOnlySpan<byte> pixel)
    {
        if (_transparency.Length == 0)
        {
            return false;
        }
        for (int i = 0; i < pixel.Length; i++)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(_transparency.AsSpan(2 * i)) != pixel[i])
            {
                return false;
            }
        }
        return true;
    }

    private static byte OnPaper(int grey, int alpha) => (byte)(((grey * alpha) + (255 * (255 - alpha)) + 127) / 255);

    private static int Luma(ReadOnlySpan<byte> rgb) => ((299 * rgb[0]) + (587 * rgb[1]) + (114 * rgb[2]) + 500) / 1000;
}
