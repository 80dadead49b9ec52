namespace Graphene.Samples.Digits;

/// <summary>Brings a drawn digit into the form of the MNIST images that the model learned from.</summary>
/// <remarks>
/// Those were made as follows (LeCun, Cortes, Burges: "The MNIST database of handwritten digits"): the digit is scaled, with its
/// proportions kept, into a box of 20 x 20 pixels, grey where a pixel is partly covered, and put into a field of 28 x 28 with
/// its centre of mass in the middle: in the pixel in row and column 14, as the images themselves say.
/// <code>
/// picture -> ink (how far a pixel is from the colour of the border) -> box around the ink -> 20 x 20 -> 28 x 28
/// </code>
/// </remarks>
public static class DigitNormalizer
{
    private const int BoxSide = 20;

    private const double Centre = 14.5;

    // Fainter marks are noise of scanners and compression.
    private const double LeastInk = 0.15;

    private const double LeastContrast = 24;

    /// <summary>Normalizes a picture of one digit, dark on light or light on dark.</summary>
    /// <returns>784 bytes, white ink on black, or null when nothing is drawn.</returns>
    public static byte[]? Normalize(GreyImage image)
    {
        byte[] ink = Ink(image);
        byte most = ink.Max();
        if (most < LeastContrast || BoxOf(ink, image.Width, most * LeastInk) is not var (left, top, right, bottom))
        {
            return null;
        }
        double scale = (double)BoxSide / Math.Max(right - left, bottom - top);
        int width = Math.Max(1, (int)Math.Round((right - left) * scale));
        int height = Math.Max(1, (int)Math.Round((bottom - top) * scale));
        double[] box = new double[width * height];
        double xStep = (double)(right - left) / width;
        double yStep = (double)(bottom - top) / height;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                box[(y * width) + x] = MeanInk(
                    ink, image.Width, left + (x * xStep), top + (y * yStep), left + ((x + 1) * xStep), top + ((y + 1) * yStep));
            }
        }
        return Place(box, width, height);
    }

    // The colour of the paper is what most of the border has.
    private static byte[] Ink(GreyImage image)
    {
        List<byte> border = [];
        for (int x = 0; x < image.Width; x++)
        {
            border.Add(image[x, 0]);
            border.Add(image[x, image.Height - 1]);
        }
        for (int y = 0; y < image.Height; y++)
        {
            border.Add(image[0, y]);
            border.Add(image[image.Width - 1, y]);
        }
        border.Sort();
        int paper = border[border.Count / 2];
        byte[] ink = new byte[image.Pixels.Length];
        for (int i = 0; i < ink.Length; i++)
        {
            ink[i] = (byte)Math.Abs(image.Pixels[i] - paper);
        }
        return ink;
    }

    private static (int Left, int Top, int Right, int Bottom)? BoxOf(byte[] ink, int width, double least)
    {
        int left = int.MaxValue, top = int.MaxValue, right = -1, bottom = -1;
        for (int i = 0; i < ink.Length; i++)
        {
            if (ink[i] >= least)
            {
                (int y, int x) = Math.DivRem(i, width);
                left = Math.Min(left, x);
                right = Math.Max(right, x + 1);
                top = Math.Min(top, y);
                bottom = Math.Max(bottom, y + 1);
            }
        }
        return right < 0 ? null : (left, top, right, bottom);
    }

    // The mean over a rectangle that may cut pixels.
    private static double MeanInk(byte[] ink, int stride, double left, double top, double right, double bottom)
    {
        double sum = 0;
        int lastRow = (int)Math.Ceiling(bottom - 1e-9);
        int lastColumn = (int)Math.Ceiling(right - 1e-9);
        for (int y = (int)top; y < lastRow; y++)
        {
            double rows = Math.Min(bottom, y + 1) - Math.Max(top, y);
            for (int x = (int)left; x < lastColumn; x++)
            {
                sum += ink[(y * stride) + x] * rows * (Math.Min(right, x + 1) - Math.Max(left, x));
            }
        }
        return sum / ((right - left) * (bottom - top));
    }

    // Full contrast, and the centre of mass in the middle of the field as far as the box stays inside.
    private static byte[] Place(double[] box, int width, int height)
    {
        double most = box.Max(), mass = box.Sum();
        double meanX = 0, meanY = 0;
        for (int i = 0; i < box.Length; i++)
        {
            (int y, int x) = Math.DivRem(i, width);
            meanX += box[i] * (x + 0.5) / mass;
            meanY += box[i] * (y + 0.5) / mass;
        }
        int left = Math.Clamp((int)Math.Round(Centre - meanX), 0, DigitsModel.Side - width);
        int top = Math.Clamp((int)Math.Round(Centre - meanY), 0, DigitsModel.Side - height);
        byte[] field = new byte[DigitsModel.ImageBytes];
        for (int i = 0; i < box.Length; i++)
        {
            (int y, int x) = Math.DivRem(i, width);
            field[((top + y) * DigitsModel.Side) + left + x] = (byte)Math.Round(box[i] / most * 255);
        }
        return field;
    }
}
