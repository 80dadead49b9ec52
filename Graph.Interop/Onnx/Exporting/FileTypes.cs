using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Types and tensors as messages of the file.</summary>
internal static class FileTypes
{
    private static readonly DimText Text = new();

    /// <summary>The declaration of an input or output; symbolic dims are written as expressions over names.</summary>
    public static ValueInfoProto Port(string name, TensorType type)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(type.Shape.Select(dim => dim.IsStatic
            ? new TensorShapeProto.Types.Dimension { DimValue = dim.Value }
            : new TensorShapeProto.Types.Dimension { DimParam = Text.Visit(dim) }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto
            {
                TensorType = new TypeProto.Types.Tensor { ElemType = (int)OnnxTypes.Of(type.DType), Shape = shape },
            },
        };
    }

    /// <summary>A tensor with its bytes as they lie in memory, which is ONNX's raw form.</summary>
    public static TensorProto Tensor(string name, Literal value)
    {
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)OnnxTypes.Of(value.DType),
            RawData = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(value.Bytes),
        };
        tensor.Dims.AddRange(value.Shape.ToStatic());
        return tensor;
    }

    // As exporters of other tools write it, and as our importer reads it: (n + 1) // 2.
    private sealed class DimText : DimVisitor<string>
    {
        protected override string Number(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

        protected override string Symbol(DimSymbol symbol) => symbol.Name;

        protected override string Add(string left, string right) => $"({left} + {right})";

        protected override string Multiply(string left, string right) => $"({left} * {right})";

        protected override string FloorDiv(string left, string right) => $"({left} // {right})";

        protected override string Max(string left, string right) => $"max({left}, {right})";

        protected override string Min(string left, string right) => $"min({left}, {right})";
    }
}
