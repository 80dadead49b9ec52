using Graphene.Interop.Idx;

namespace Graphene.Samples.Mnist;

/// <summary>Images of digits [examples, 28, 28, 1] of bytes, and their numbers [examples].</summary>
/// <param name="TrainImages">To train on.</param>
/// <param name="TrainLabels">To train on.</param>
/// <param name="TestImages">To test with.</param>
/// <param name="TestLabels">To test with.</param>
public sealed record MnistData(Literal TrainImages, Literal TrainLabels, Literal TestImages, Literal TestLabels)
{
    private const int Side = 28;

    /// <summary>Reads the four files of the MNIST database (LeCun, Cortes and Burges).</summary>
    /// <param name="folder">Where they are, under their usual names with .gz behind.</param>
    public static MnistData Load(string folder) => new(
        Images(folder, "train"), Labels(folder, "train"), Images(folder, "t10k"), Labels(folder, "t10k"));

    /// <summary>Digits drawn like those of a pocket calculator, moved, thickened and disturbed at random: for tests.</summary>
    public static MnistData Synthetic(int train, int test, ulong seed)
    {
        var random = new RandomNumbers(seed);
        (Literal images, Literal labels) = DrawnDigits.Draw(train, random);
        (Literal testImages, Literal testLabels) = DrawnDigits.Draw(test, random);
        return new MnistData(images, labels, testImages, testLabels);
    }

    private static Literal Images(string folder, string set)
    {
        Literal images = IdxFile.Read(Path.Combine(folder, $"{set}-images-idx3-ubyte.gz"));
        return images.Reshape([images.Shape[0], Side, Side, 1]);
    }

    private static Literal Labels(string folder, string set) => IdxFile.Read(Path.Combine(folder, $"{set}-labels-idx1-ubyte.gz"));
}
