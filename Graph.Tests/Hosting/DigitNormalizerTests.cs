using Graphene.Runtime;
using Graphene.Samples.Digits;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>Drawings come to the model as MNIST's images came to it in training.</summary>
internal sealed class DigitNormalizerTests
{
    [Test]
    public void TheBoxHasTwentyPixelsAndTheCentreOfMassIsInTheMiddle([Values(0, 1, 2, 3, 7, 18)] int image)
    {
        byte[] field = DigitNormalizer.Normalize(DigitsMaterial.Drawing(image))!;

        int[] rows = [.. Enumerable.Range(0, 28).Where(y => Enumerable.Range(0, 28).Any(x => field[(y * 28) + x] > 0))];
        int[] columns = [.. Enumerable.Range(0, 28).Where(x => Enumerable.Range(0, 28).Any(y => field[(y * 28) + x] > 0))];
        double mass = field.Sum(p => (double)p);
        double meanX = field.Select((p, i) => p * ((i % 28) + 0.5)).Sum() / mass;
        double meanY = field.Select((p, i) => p * ((i / 28) + 0.5)).Sum() / mass;
        Assert.That(Math.Max(rows[^1] - rows[0], columns[^1] - columns[0]) + 1, Is.EqualTo(20));
        Assert.That((meanX, meanY), Is.EqualTo((14.5, 14.5)).Within(0.51));
        Assert.That(field.Max(), Is.EqualTo(255));
    }

    [Test]
    public void ImagesOfMnistStayNearlyAsTheyAre()
    {
        double difference = 0;
        for (int i = 0; i < DigitsMaterial.Count; i++)
        {
            byte[] image = DigitsMaterial.Image(i).Pixels;
            byte[] field = DigitNormalizer.Normalize(DigitsMaterial.Image(i))!;
            difference += image.Zip(field, (a, b) => Math.Abs(a - b)).Average();
        }

        Assert.That(difference / DigitsMaterial.Count, Is.LessThan(6), "grey levels of 256, over all pixels");
    }

    [Test]
    public void NothingDrawnIsNothing()
    {
        Assert.That(DigitNormalizer.Normalize(new GreyImage(50, 40, new byte[2000])), Is.Null);
        Assert.That(DigitNormalizer.Normalize(new GreyImage(1, 1, [200])), Is.Null);
        byte[] faint = new byte[2000];
        faint[777] = 20;
        Assert.That(DigitNormalizer.Normalize(new GreyImage(50, 40, faint)), Is.Null);
    }

    [Test]
    public void OnePixelAndALineAreDrawings([Values(1, 300)] int length)
    {
        byte[] pixels = new byte[400 * 3];
        pixels.AsSpan(400 + 20, length).Fill(255);

        byte[] field = DigitNormalizer.Normalize(new GreyImage(400, 3, pixels))!;

        Assert.That(field.Count(p => p == 255), Is.EqualTo(length == 1 ? 400 : 20));
    }

    [Test]
    public void DrawnDigitsAreRead()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Combine("digits.graphene");
        File.WriteAllBytes(path, DigitsMaterial.Bundle);
        using DigitsModel model = DigitsModel.Create(CompiledGraph.Load(path));

        int right = Enumerable.Range(0, DigitsMaterial.Count)
            .Count(i => DigitAnswer.Of(model, DigitNormalizer.Normalize(DigitsMaterial.Drawing(i))!).Digit == DigitsMaterial.Label(i));

        TestContext.Out.WriteLine($"{right} of {DigitsMaterial.Count} drawings are read");
        Assert.That(right, Is.GreaterThanOrEqualTo(DigitsMaterial.Count - 2));
    }
}
