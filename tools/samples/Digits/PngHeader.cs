using System.Buffers.Binary;

namespace Graphene.Samples.Digits;

/// <summary>The kinds of pixels that PNG knows.</summary>
internal enum PngColor
{
    /// <summary>One byte of grey.</summary>
    Grey = 0,

    /// <summary>Red, green, blue.</summary>
    Rgb = 2,

    /// <summary>A number of a colour in the palette.</summary>
    Palette = 3,

    /// <summary>Grey and alpha.</summary>
    GreyAlpha = 4,

    /// <summary>Red, green, blue, alpha.</summary>
    Rgba = 6,
}

/// <summary>What the first chunk of a PNG file says.</summary>
/// <param name="Width">1 to <see cref="GreyImage.MaxSide"/>.</param>
/// <param name="Height">1 to <see cref="GreyImage.MaxSide"/>.</param>
/// <param name="Color">The kind of pixels.</param>
internal sealed record PngHeader(int Width, int Height, PngColor Color)
{
    private const int Length = 13;

    /// <summary>Bytes of a pixel.</summary>
    public int PixelBytes => Color switch
    {
        PngColor.Rgb => 3,
        PngColor.GreyAlpha => 2,
        PngColor.Rgba => 4,
        _ => 1,
    };

    /// <summary>Bytes of a line, without the number of its filter.</summary>
    public int LineBytes => Width * PixelBytes;

    /// <summary>Reads and checks it.</summary>
    /// <exception cref="ImageFormatException">It says something that is impossible or not supported.</exception>
    public static PngHeader Read(ReadOnlySpan<byte> content)
    {
        if (content.Length != Length)
        {
            throw new ImageFormatException("damaged PNG file: its header has a wrong size");
        }
        uint width = BinaryPrimitives.ReadUInt32BigEndian(content);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(content[4..]);
        if (width is 0 or > GreyImage.MaxSide || height is 0 or > GreyImage.MaxSide)
        {
            throw new ImageFormatException(
                $"the picture has {width} x {height} pixels; 1 to {GreyImage.MaxSide} each way can be read");
        }
        var color = (PngColor)content[9];
        if (!Enum.IsDefined(color) || content[10] != 0 || content[11] != 0 || content[12] > 1)
        {
            throw new ImageFormatException("damaged PNG file: its header is impossible");
        }
        if (content[8] != 8)
        {
            throw new ImageFormatException($"the PNG file has {content[8]} bits a channel; only 8 can be read");
        }
        return content[12] == 0
            ? new PngHeader((int)width, (int)height, color)
            : throw new ImageFormatException("the PNG file is interlaced, which cannot be read");
    }
}
