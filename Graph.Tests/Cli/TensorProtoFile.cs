using Google.Protobuf;

namespace Graphene.Tests.Cli;

/// <summary>Writes f32 and u8 values as ONNX tensor files, by field numbers.</summary>
internal static class TensorProtoFile
{
    private const int Dims = 1;
    private const int DataType = 2;
    private const int RawData = 9;
    private const int Float = 1;
    private const int Byte = 2;

    public static void Write(string path, Literal value)
    {
        using FileStream file = File.Create(path);
        using var output = new CodedOutputStream(file);
        foreach (long dim in value.Shape.ToStatic())
        {
            output.WriteTag(Dims, WireFormat.WireType.Varint);
            output.WriteInt64(dim);
        }
        output.WriteTag(DataType, WireFormat.WireType.Varint);
        output.WriteInt32(value.DType == DType.U8 ? Byte : Float);
        output.WriteTag(RawData, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value.Bytes.Span));
    }
}
