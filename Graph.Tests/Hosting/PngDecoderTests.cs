using Graphene.Samples.Digits;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>The picture decoders of the digits samples: what they read, and what they refuse.</summary>
internal sealed class PngDecoderTests
{
    private const int Width = 13;
    private const int Height = 11;

    [Test]
    public void EveryFilterGivesThePixelsBack([Values(0, 1, 2, 3, 4, -1)] int filter)
    {
        GreyImage image = new(Width, Height, Noise(Width * Height));

        GreyImage decoded = PngDecoder.Decode(PngEncoder.Grey(image, filter));

        Assert.That((decoded.Width, decoded.Height), Is.EqualTo((Width, Height)));
        Assert.That(decoded.Pixels, Is.EqualTo(image.Pixels));
    }

    [Test]
    public void ColoursBecomeGrey([Values(0, 1, 2, 3, 4, -1)] int filter)
    {
        byte[] rgb = Noise(Width * Height * 3);
        byte[] expected = [.. rgb.Chunk(3).Select(c => (byte)(((299 * c[0]) + (587 * c[1]) + (114 * c[2]) + 500) / 1000))];

        Assert.That(
            PngDecoder.Decode(PngEncoder.Encode(Width, Height, 2, rgb, 3, filter)).Pixels, Is.EqualTo(expected));
    }

    [Test]
    public void WhatIsTransparentLiesOnWhitePaper()
    {
        byte[] rgba = [0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 255, 0, 100, 100, 100, 128];
        byte[] grey = [0, 255, 0, 0, 255, 0, 100, 128];
        byte[] expected = [0, 255, 255, 177];

        Assert.That(PngDecoder.Decode(PngEncoder.Encode(4, 1, 6, rgba, 4, 0)).Pixels, Is.EqualTo(expected));
        Assert.That(PngDecoder.Decode(PngEncoder.Encode(4, 1, 4, grey, 2, 0)).Pixels, Is.EqualTo(expected));
        Assert.That(
            PngDecoder.Decode(PngEncoder.Encode(3, 1, 0, [7, 8, 9], 1, 0, PngEncoder.Chunk("tRNS", [0, 8]))).Pixels,
            Is.EqualTo(new byte[] { 7, 255, 9 }));
    }

    [Test]
    public void PalettesAreLookedUp()
    {
        byte[] palette = PngEncoder.Chunk("PLTE", [0, 0, 0, 255, 255, 255, 255, 0, 0]);
        byte[] transparency = PngEncoder.Chunk("tRNS", [255, 255, 0]);
        byte[] comment = PngEncoder.Chunk("tEXt", "Title\0one"u8.ToArray());

        GreyImage decoded = PngDecoder.Decode(PngEncoder.Encode(4, 1, 3, [0, 1, 2, 0], 1, 0, palette, transparency, comment));

        Assert.That(decoded.Pixels, Is.EqualTo(new byte[] { 0, 255, 255, 0 }));
        Refused(PngEncoder.Encode(1, 1, 3, [3], 1, 0, palette), "not in the palette");
        Refused(PngEncoder.Encode(1, 1, 3, [0], 1, 0), "does not fit its header");
    }

    [Test]
    public void DataMayComeInSeveralChunks()
    {
        byte[] data = PngEncoder.Deflate([0, 1, 2, 0, 3, 4]);
        byte[] header = PngEncoder.Header(2, 2, 0);
        byte[] end = PngEncoder.Chunk("IEND", []);
        byte[] first = PngEncoder.Chunk("IDAT", data[..3]);
        byte[] second = PngEncoder.Chunk("IDAT", data[3..]);

        Assert.That(
            PngDecoder.Decode(PngEncoder.Join(PngEncoder.Signature, header, first, second, end)).Pixels,
            Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
        byte[] between = PngEncoder.Chunk("tEXt", [1]);
        Refused(PngEncoder.Join(PngEncoder.Signature, header, first, between, second, end), "IDAT in the wrong place");
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        byte[] good = PngEncoder.Grey(new GreyImage(Width, Height, Noise(Width * Height)));
        byte[] header = PngEncoder.Header(2, 1, 0);
        byte[] end = PngEncoder.Chunk("IEND", []);
        yield return Case("not PNG", "GIF89a"u8.ToArray(), "not a PNG file");
        yield return Case("empty", [], "not a PNG file");
        yield return Case("signature alone", PngEncoder.Signature, "ends too early");
        yield return Case("no end", good[..^12], "ends too early");
        yield return Case("something after the end", [.. good, 0], "IEND in the wrong place");
        yield return Case("sixteen bits", Only(PngEncoder.Header(2, 1, 0, bits: 16)), "16 bits a channel");
        yield return Case("one bit", Only(PngEncoder.Header(2, 1, 0, bits: 1)), "1 bits a channel");
        yield return Case("interlaced", Only(PngEncoder.Header(2, 1, 0, interlace: 1)), "interlaced");
        yield return Case("no such colours", Only(PngEncoder.Header(2, 1, 5)), "header is impossible");
        yield return Case("no pixels", Only(PngEncoder.Header(0, 1, 0)), "0 x 1 pixels");
        yield return Case("too wide", Only(PngEncoder.Header(int.MaxValue, 1, 0)), "2147483647 x 1 pixels");
        yield return Case("too high", Only(PngEncoder.Header(1, -1, 0)), "1 x 4294967295 pixels");
        yield return Case("two headers", PngEncoder.Join(PngEncoder.Signature, header, header), "its header must come first, and once");
        yield return Case("data first", Only(PngEncoder.Chunk("IDAT", [0])), "its header must come first");
        yield return Case(
            "unknown critical chunk", PngEncoder.Join(PngEncoder.Signature, header, PngEncoder.Chunk("NEWS", [])),
            "needs NEWS");
        yield return Case("nameless chunk", PngEncoder.Join(PngEncoder.Signature, header, PngEncoder.Chunk("a1b2", [])), "no name");
        yield return Case("no data", PngEncoder.Join(PngEncoder.Signature, header, end), "0 bytes of pixels");
        yield return Case("no compressed data", Data([1, 2, 3, 4, 5, 6, 7, 8]), "cannot be decompressed");
        yield return Case("too few pixels", Data(PngEncoder.Deflate([0, 1])), "2 bytes of pixels, 3 are needed");
        yield return Case("too many pixels", Data(PngEncoder.Deflate([0, 1, 2, 3])), "more pixels than its header says");
        yield return Case("a bomb", Data(PngEncoder.Deflate(new byte[64 << 20])), "more pixels than its header says");
        yield return Case("no such filter", Data(PngEncoder.Deflate([5, 1, 2])), "there is no filter 5");
        yield return Case("wrong checksum", Flip(good, good.Length - 14), "a checksum is wrong");
        yield return Case("long chunk", [.. PngEncoder.Signature, 0xFF, 0xFF, 0xFF, 0xFF, .. header[4..]], "longer than the file");
        yield return Case("long file", new byte[PngDecoder.MaxBytes + 1], "the most is");

        byte[] Only(byte[] chunk) => PngEncoder.Join(PngEncoder.Signature, chunk, end);
        byte[] Data(byte[] data) => PngEncoder.Join(PngEncoder.Signature, header, PngEncoder.Chunk("IDAT", data), end);
        static TestCaseData Case(string name, byte[] file, string message) => new TestCaseData(file, message).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Wrong))]
    public void WhatIsWrongIsRefused(byte[] file, string message) => Refused(file, message);

    // Whatever was changed is found by a checksum, or does not matter; nothing else may happen.
    [Test]
    public void ChangedAndShortenedFilesAreReadOrRefused()
    {
        GreyImage image = new(Width, Height, Noise(Width * Height));
        byte[] good = PngEncoder.Grey(image, -1);
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] file = i % 2 == 0 ? Flip(good, random.Next(good.Length)) : good[..random.Next(good.Length)];
            try
            {
                PngDecoder.Decode(file);
                Assert.Fail("a changed file was read");
            }
            catch (ImageFormatException)
            {
                // as it should be
            }
        }
    }

    [Test]
    public void PgmFilesAreRead()
    {
        byte[] file = [.. "P5 # drawn by hand\n3 2\n15\n"u8, 0, 5, 15, 15, 3, 200];

        GreyImage image = GreyImage.Decode(file);

        Assert.That((image.Width, image.Height), Is.EqualTo((3, 2)));
        Assert.That(image.Pixels, Is.EqualTo(new byte[] { 0, 85, 255, 255, 51, 255 }));
        string[] headers =
        [
            "P5", "P5 3", "P5 3 2", "P5 3 2 255", "P5 3 2 255\nab", "P5 9999 2 255\n", "P5 -1 2 255\n",
            "P5 3 2 70000\n",
            "P53 2 255\n123456",
        ];
        foreach (string wrong in headers)
        {
            Assert.That(
                () => GreyImage.Decode(System.Text.Encoding.ASCII.GetBytes(wrong)), Throws.TypeOf<ImageFormatException>(), wrong);
        }
    }

    private static byte[] Noise(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Flip(byte[] file, int at)
    {
        byte[] flipped = [.. file];
        flipped[at] ^= 0x10;
        return flipped;
    }

    private static void Refused(byte[] file, string message) => Assert.That(
        () => PngDecoder.Decode(file), Throws.TypeOf<ImageFormatException>().With.Message.Contains(message));
}
