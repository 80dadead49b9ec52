using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;

namespace Graphene.Cli.Values;

/// <summary>A value in a file: NumPy's <c>.npy</c>, or <c>.pb</c> with one ONNX TensorProto.</summary>
internal static class InputFile
{
    /// <summary>Reads a file of either kind; the kind is told by the file's ending.</summary>
    /// <exception cref="GraphException">The file cannot be read or used.</exception>
    public static Literal Read(string path) =>
        Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".NPY" => NpyFile.Read(path),
            ".PB" => OnnxTensor.Read(path).Value,
            _ => throw new UsageException($"{path}: an input is a .npy file, or a .pb file with one ONNX tensor"),
        };

    /// <summary>Splits <c>NAME=FILE</c> as written behind <c>--input</c>.</summary>
    public static (string Name, string File) ParseOption(string text)
    {
        int at = text.IndexOf('=');
        return at > 0 && at < text.Length - 1
            ? (text[..at], text[(at + 1)..])
            : throw new UsageException($"'{text}' is not NAME=FILE");
    }
}
