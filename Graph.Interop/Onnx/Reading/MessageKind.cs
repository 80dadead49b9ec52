using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>The messages of a model file that hold others, or large fields.</summary>
internal enum MessageKind
{
    /// <summary>Anything else: its bytes are copied as they are.</summary>
    None,

    /// <summary>ModelProto.</summary>
    Model,

    /// <summary>GraphProto.</summary>
    Graph,

    /// <summary>NodeProto.</summary>
    Node,

    /// <summary>FunctionProto.</summary>
    Function,

    /// <summary>AttributeProto.</summary>
    Attribute,

    /// <summary>TensorProto.</summary>
    Tensor,

    /// <summary>SparseTensorProto.</summary>
    SparseTensor,

    /// <summary>ValueInfoProto.</summary>
    ValueInfo,

    /// <summary>TypeProto.</summary>
    Type,

    /// <summary>What a type is of: a sequence, a map, an optional value.</summary>
    TypeDetail,

    /// <summary>The type of a tensor, and its shape.</summary>
    Shape,

    /// <summary>A small message that holds no other.</summary>
    Entry,
}

/// <summary>Which message is in which field of which other, as onnx_model.proto has them.</summary>
internal static class MessageKinds
{
    /// <summary>The message in a field; <see cref="MessageKind.None"/> for one that is not entered.</summary>
    /// <param name="kind">The message that has the field.</param>
    /// <param name="field">The number of the field.</param>
    public static MessageKind ChildOf(MessageKind kind, ulong field) => (kind, field) switch
    {
        (MessageKind.Model, ModelProto.GraphFieldNumber) => MessageKind.Graph,
        (MessageKind.Model, ModelProto.FunctionsFieldNumber) => MessageKind.Function,
        (MessageKind.Model, ModelProto.OpsetImportFieldNumber) => MessageKind.Entry,
        (MessageKind.Model, ModelProto.MetadataPropsFieldNumber) => MessageKind.Entry,
        (MessageKind.Graph, GraphProto.NodeFieldNumber) => MessageKind.Node,
        (MessageKind.Graph, GraphProto.InitializerFieldNumber) => MessageKind.Tensor,
        (MessageKind.Graph, GraphProto.InputFieldNumber) => MessageKind.ValueInfo,
        (MessageKind.Graph, GraphProto.OutputFieldNumber) => MessageKind.ValueInfo,
        (MessageKind.Graph, GraphProto.ValueInfoFieldNumber) => MessageKind.ValueInfo,
        (MessageKind.Graph, GraphProto.SparseInitializerFieldNumber) => MessageKind.SparseTensor,
        (MessageKind.Node, NodeProto.AttributeFieldNumber) => MessageKind.Attribute,
        (MessageKind.Function, FunctionProto.NodeFieldNumber) => MessageKind.Node,
        (MessageKind.Function, FunctionProto.OpsetImportFieldNumber) => MessageKind.Entry,
        (MessageKind.Function, FunctionProto.AttributeProtoFieldNumber) => MessageKind.Attribute,
        (MessageKind.Function, FunctionProto.ValueInfoFieldNumber) => MessageKind.ValueInfo,
        (MessageKind.Attribute, AttributeProto.TFieldNumber) => MessageKind.Tensor,
        (MessageKind.Attribute, AttributeProto.TensorsFieldNumber) => MessageKind.Tensor,
        (MessageKind.Attribute, AttributeProto.GFieldNumber) => MessageKind.Graph,
        (MessageKind.Attribute, AttributeProto.GraphsFieldNumber) => MessageKind.Graph,
        (MessageKind.Attribute, AttributeProto.TpFieldNumber) => MessageKind.Type,
        (MessageKind.Attribute, AttributeProto.TypeProtosFieldNumber) => MessageKind.Type,
        (MessageKind.Attribute, AttributeProto.SparseTensorFieldNumber) => MessageKind.SparseTensor,
        (MessageKind.Attribute, AttributeProto.SparseTensorsFieldNumber) => MessageKind.SparseTensor,
        (MessageKind.Tensor, TensorProto.SegmentFieldNumber) => MessageKind.Entry,
        (MessageKind.Tensor, TensorProto.ExternalDataFieldNumber) => MessageKind.Entry,
        (MessageKind.SparseTensor, SparseTensorProto.ValuesFieldNumber) => MessageKind.Tensor,
        (MessageKind.SparseTensor, SparseTensorProto.IndicesFieldNumber) => MessageKind.Tensor,
        (MessageKind.ValueInfo, ValueInfoProto.TypeFieldNumber) => MessageKind.Type,
        // Sequence, map and optional types hold a type in field 1 or 2; tensor types hold a shape in field 2.
        (MessageKind.Type, TypeProto.TensorTypeFieldNumber) => MessageKind.Shape,
        (MessageKind.Type, TypeProto.SparseTensorTypeFieldNumber) => MessageKind.Shape,
        (MessageKind.Type, TypeProto.SequenceTypeFieldNumber) => MessageKind.TypeDetail,
        (MessageKind.Type, TypeProto.MapTypeFieldNumber) => MessageKind.TypeDetail,
        (MessageKind.Type, TypeProto.OptionalTypeFieldNumber) => MessageKind.TypeDetail,
        (MessageKind.TypeDetail, TypeProto.Types.Sequence.ElemTypeFieldNumber) => MessageKind.Type,
        (MessageKind.TypeDetail, TypeProto.Types.Map.ValueTypeFieldNumber) => MessageKind.Type,
        (MessageKind.Shape, TypeProto.Types.Tensor.ShapeFieldNumber) => MessageKind.Shape,
        (MessageKind.Shape, TensorShapeProto.DimFieldNumber) => MessageKind.Entry,
        _ => MessageKind.None,
    };
}
