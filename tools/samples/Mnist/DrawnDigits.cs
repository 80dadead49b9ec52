namespace Graphene.Samples.Mnist;

/// <summary>Digits of seven segments in images of 28 by 28 bytes.</summary>
internal static class DrawnDigits
{
    private const int Side = 28;

    // The segments of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
    private static readonly string[] Segments =
        ["1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011"];

    /// <summary>Draws digits at random.</summary>
    public static (Literal Images, Literal Labels) Draw(int count, RandomNumbers random)
    {
        var images = new byte[count * Side * Side];
        var labels = new byte[count];
        for (int i = 0; i < count; i++)
        {
            labels[i] = (byte)Below(random, 10);
            DrawOne(images.AsSpan(i * Side * Side, Side * Side), labels[i], random);
        }
        return (
            new Literal(new TensorType(DType.U8, [count, Side, Side, 1]), images),
            new Literal(new TensorType(DType.U8, [count]), labels));
    }

    private static void DrawOne(Span<byte> image, int digit, RandomNumbers random)
    {
        int width = 8 + Below(random, 5);
        int half = 7 + Below(random, 3);
        int left = 6 + Below(random, 4);
        int top = 4 + Below(random, 3);
        int slant = Below(random, 3) - 1;
        string on = Segments[digit];
        for (int segment = 0; segment < on.Length; segment++)
        {
            if (on[segment] == '0')
            {
                continue;
            }
            bool isFlat = segment is 0 or 3 or 6;
            int y = top + (segment switch { 0 or 1 or 2 => 0, 3 or 4 or 5 => half, _ => 2 * half });
            int x = left + (segment is 2 or 5 ? width : 0);
            int length = isFlat ? width : half;
            for (int step = 0; step <= length; step++)
            {
                Dot(image, isFlat ? x + step : x, isFlat ? y : y + step, slant, top + half);
            }
        }
        foreach (ref byte pixel in image)
        {
            pixel = (byte)Math.Clamp(pixel + (int)(24 * random.NextNormal()), 0, 255);
        }
    }

    // A dot of two by two, moved sideways above and below the middle.
    private static void Dot(Span<byte> image, int x, int y, int slant, int middle)
    {
        int moved = x + (slant * (middle - y) / 4);
        for (int dy = 0; dy < 2; dy++)
        {
            for (int dx = 0; dx < 2; dx++)
            {
                image[(Math.Clamp(y + dy, 0, Side - 1) * Side) + Math.Clamp(moved + dx, 0, Side - 1)] = 220;
            }
        }
    }

    private static int Below(RandomNumbers random, int limit) => (int)(random.NextUniform() * limit);
}
