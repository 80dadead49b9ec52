using System.Text;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Recognises common files that are mistaken for ONNX models, to say so instead of "damaged".</summary>
internal static class FileKind
{
    /// <summary>What a file with these first bytes is and what to do about it, or null when nothing speaks against ONNX.</summary>
    public static (string Why, string Fix)? Foreign(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("PK\u0003\u0004"u8))
        {
            return ("it is a zip archive (PyTorch checkpoints and packed models are)", "unpack it, or export the model to ONNX");
        }
        if (head.StartsWith("version https://git-lfs"u8))
        {
            return ("it is a Git LFS pointer, the model itself was not downloaded", "run git lfs pull");
        }
        if (head.Length >= 8 && head[4..8].SequenceEqual("TFL3"u8))
        {
            return ("it is a TensorFlow Lite model", "export the model to ONNX");
        }
        if (head.Length >= 8 && head[4..8].SequenceEqual("ORTM"u8))
        {
            return ("it is in ONNX Runtime's own .ort format", "use the .onnx file it was made from");
        }
        if (head.Length >= 8 && head[1..8].SequenceEqual("HDF\r\n\u001a\n"u8))
        {
            return ("it is an HDF5 file (Keras models are)", "export the model to ONNX");
        }
        if (head.Length >= 2 && head[0] == 0x1f && head[1] == 0x8b)
        {
            return ("it is compressed with gzip", "decompress it");
        }
        if (head.StartsWith("\u007fELF"u8) || head.StartsWith("MZ"u8))
        {
            return ("it is a program or library", "pass the path of an .onnx file");
        }
        if (head.Length >= 6 && head[1..6].SequenceEqual("NUMPY"u8))
        {
            return ("it is a NumPy array", "pass it with --input, and a model as the model");
        }
        return LooksLikeText(head) ? ("it is a text file", "pass the path of an .onnx file") : null;
    }

    // The first byte of a model is the key of one of its fields (8, 18, 26, 34, 40, 50, 58, 66 ...) and small binary numbers
    // follow soon; plain text has no control characters at all.
    private static bool LooksLikeText(ReadOnlySpan<byte> head)
    {
        if (head.Length < 4)
        {
            return false;
        }
        foreach (Rune rune in Encoding.UTF8.GetString(head[..Math.Min(head.Length, 64)]).EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || (rune.Value < 32 && rune.Value is not ('\n' or '\r' or '\t')))
            {
                return false;
            }
        }
        return true;
    }
}
