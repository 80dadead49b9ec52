namespace Graphene.Samples.Digits;

/// <summary>A picture of one byte a pixel, 0 black and 255 white, row by row.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels">Width times height bytes.</param>
public sealed record GreyImage(int Width, int Height, byte[] Pixels)
{
    /// <summary>The longest side that decoders accept.</summary>
    public const int MaxSide = 1024;

    /// <summary>The pixel in a column of a row.</summary>
    public byte this[int x, int y] => Pixels[(y * Width) + x];

    /// <summary>Reads a picture of any format known here.</summary>
    /// <exception cref="ImageFormatException">It is none, or too large.</exception>
    public static GreyImage Decode(ReadOnlyMemory<byte> file) =>
        PgmDecoder.Fits(file.Span) ? PgmDecoder.Decode(file.Span) : PngDecoder.Decode(file);
}
