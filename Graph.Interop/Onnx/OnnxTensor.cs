using System.Buffers;
using Google.Protobuf;
using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Reading;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx;

/// <summary>A tensor in a file of its own, as the inputs and outputs of ONNX test cases are stored (<c>input_0.pb</c>).</summary>
/// <param name="Name">The name recorded in the file; often that of the model's input.</param>
/// <param name="ElementType">The element type in the file.</param>
/// <param name="Value">
/// The elements. Types that Graphene lacks are held in a wider one: 4-bit and 2-bit integers as i8 or u8, small floats as their
/// code in u8.
/// </param>
public sealed record OnnxTensor(string Name, OnnxDataType ElementType, Literal Value)
{
    /// <summary>Reads a file that holds one serialized TensorProto.</summary>
    /// <param name="path">The path of a .pb file.</param>
    /// <param name="options">Limits; <see cref="OnnxLoadOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4001 to GR4007, GR4011: the file cannot be used, with the reason.</exception>
    public static OnnxTensor Read(string path, OnnxLoadOptions? options = null)
    {
        options ??= OnnxLoadOptions.Default;
        using var source = new ByteSource(OnnxModelFile.Open(path));
        if (source.Length > options.MaxFileBytes)
        {
            throw OnnxErrors.TooLarge(path, $"it has {source.Length} bytes, more than {options.MaxFileBytes}");
        }
        TensorProto tensor;
        try
        {
            tensor = TensorProto.Parser.ParseFrom(new ReadOnlySequence<byte>(MessageSkeleton.OfTensor(source, options, path)));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw OnnxErrors.Damaged(path, e.Message);
        }
        using var external = new ExternalDataFolder(Path.GetDirectoryName(Path.GetFullPath(path)));
        StoredTensor stored = new TensorReader(source, external, options).Read(tensor, path);
        return new OnnxTensor(tensor.Name, stored.Format.Type, OnnxTypes.ToLiteral(stored));
    }
}
