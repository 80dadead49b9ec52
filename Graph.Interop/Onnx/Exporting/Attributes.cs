using Google.Protobuf;
using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;
using AttributeType = Graphene.Interop.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Makes attributes of nodes.</summary>
internal static class Attributes
{
    /// <summary>A number.</summary>
    public static AttributeProto Int(string name, long value) => new() { Name = name, I = value, Type = AttributeType.Int };

    /// <summary>A truth value, which is a number in ONNX.</summary>
    public static AttributeProto Bool(string name, bool value) => Int(name, value ? 1 : 0);

    /// <summary>An element type.</summary>
    public static AttributeProto Type(string name, DType type) => Int(name, (long)OnnxTypes.Of(type));

    /// <summary>Numbers.</summary>
    public static AttributeProto Ints(string name, IEnumerable<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    /// <summary>Numbers of dimensions.</summary>
    public static AttributeProto Ints(string name, IEnumerable<int> values) => Ints(name, values.Select(v => (long)v));

    /// <summary>A word.</summary>
    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeType.String };

    /// <summary>A graph, for example the body of a loop.</summary>
    public static AttributeProto Graph(string name, GraphProto graph) =>
        new() { Name = name, G = graph, Type = AttributeType.Graph };
}
