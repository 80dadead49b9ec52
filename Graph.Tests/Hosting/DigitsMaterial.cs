using System.Runtime.InteropServices;
using Google.Protobuf;
using Graphene.Codegen;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Runtime;
using Graphene.Samples.Digits;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Hosting;

/// <summary>The digits model of the demo as a bundle, a second version that answers otherwise, and the images of the demo.</summary>
internal static class DigitsMaterial
{
    private static readonly Lazy<byte[]> First = new(() => Compile(shift: 0));
    private static readonly Lazy<byte[]> Second = new(() => Compile(shift: 0.25f));
    private static readonly Lazy<Literal> Images = new(() => NpyFile.Read(Demo("digits-images.npy")));
    private static readonly Lazy<Literal> AllLabels = new(() => NpyFile.Read(Demo("digits-labels.npy")));

    /// <summary>The demo's model.</summary>
    public static byte[] Bundle => First.Value;

    /// <summary>Its last biases are others, so every logit is.</summary>
    public static byte[] OtherBundle => Second.Value;

    /// <summary>The number of images.</summary>
    public static int Count => (int)Images.Value.Shape[0].Value;

    /// <summary>What an image shows.</summary>
    public static int Label(int image) => AllLabels.Value.As<byte>()[image];

    /// <summary>An image as it is in MNIST, white on black.</summary>
    public static GreyImage Image(int image) =>
        new(28, 28, Images.Value.As<byte>().Slice(image * DigitsModel.ImageBytes, DigitsModel.ImageBytes).ToArray());

    /// <summary>An image as somebody may draw it: larger, dark on light, not in the middle.</summary>
    public static GreyImage Drawing(int image, int scale = 5)
    {
        GreyImage small = Image(image);
        const int Margin = 37;
        int width = (28 * scale) + (2 * Margin), height = (28 * scale) + Margin;
        byte[] pixels = new byte[width * height];
        Array.Fill(pixels, (byte)250);
        for (int y = 0; y < 28 * scale; y++)
        {
            for (int x = 0; x < 28 * scale; x++)
            {
                pixels[((y + 3) * width) + x + 9] = (byte)(250 - (small[x / scale, y / scale] * 240 / 255));
            }
        }
        return new GreyImage(width, height, pixels);
    }

    private static byte[] Compile(float shift)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Combine("digits.onnx");
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Demo("digits.onnx")));
        TensorProto bias = model.Graph.Initializer.Single(t => t.Dims is [10]);
        byte[] values = bias.RawData.ToByteArray();
        Span<float> biases = MemoryMarshal.Cast<byte, float>(values.AsSpan());
        for (int i = 0; i < biases.Length; i++)
        {
            biases[i] += shift;
        }
        bias.RawData = ByteString.CopyFrom(values);
        File.WriteAllBytes(path, model.ToByteArray());
        using Executable executable = GraphCompiler.Cpu().Compile(
            OnnxImporter.Import(path).Module, NullLogger.Instance, CancellationToken.None);
        using var bundle = new MemoryStream();
        executable.Write(bundle);
        return bundle.ToArray();
    }

    private static string Demo(string file) => RepositoryRoot.Combine("tools", "cli", "demo", file);
}
