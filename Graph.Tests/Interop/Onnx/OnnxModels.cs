using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Writes small ONNX models for tests.</summary>
internal static class OnnxModels
{
    /// <summary>A model with one graph.</summary>
    public static ModelProto Model(GraphProto graph, long opset = 17) => new()
    {
        IrVersion = 8,
        ProducerName = "tests",
        Graph = graph,
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } },
    };

    /// <summary>A graph named "test".</summary>
    public static GraphProto Graph(
        IEnumerable<ValueInfoProto> inputs, IEnumerable<ValueInfoProto> outputs, params IEnumerable<NodeProto> nodes)
    {
        var graph = new GraphProto { Name = "test" };
        graph.Input.AddRange(inputs);
        graph.Output.AddRange(outputs);
        graph.Node.AddRange(nodes);
        return graph;
    }

    /// <summary>A model of one f32[2,3] input "x", one output "y" and the given nodes.</summary>
    public static ModelProto XToY(params IEnumerable<NodeProto> nodes) =>
        Model(Graph([Tensor("x", 2, 3)], [Tensor("y", 2, 3)], nodes));

    /// <summary>A node of the standard domain.</summary>
    public static NodeProto Node(string op, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = $"{op}_{outputs.FirstOrDefault()}" };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    /// <summary>The type of an f32 tensor; a negative extent stands for one without value and name.</summary>
    public static ValueInfoProto Tensor(string name, params long[] dims) =>
        Tensor(name, OnnxDataType.Float, [.. dims.Select(d => (object)d)]);

    /// <summary>The type of a tensor; dims are numbers, or names.</summary>
    public static ValueInfoProto Tensor(string name, OnnxDataType type, params object[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (object dim in dims)
        {
            shape.Dim.Add(dim is string symbol
                ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
                : new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(dim) });
        }
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } },
        };
    }

    /// <summary>A stored f32 tensor with raw data.</summary>
    public static TensorProto Floats(string name, long[] dims, params float[] values)
    {
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)OnnxDataType.Float,
            RawData = ByteString.CopyFrom([.. values.SelectMany(BitConverter.GetBytes)]),
        };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    /// <summary>A stored i64 vector with typed data.</summary>
    public static TensorProto Ints(string name, params long[] values)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)OnnxDataType.Int64, Dims = { values.Length } };
        tensor.Int64Data.AddRange(values);
        return tensor;
    }

    /// <summary>An integer attribute.</summary>
    public static AttributeProto Int(string name, long value) =>
        new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    /// <summary>A list of integers as attribute.</summary>
    public static AttributeProto IntList(string name, params long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    /// <summary>A graph as attribute.</summary>
    public static AttributeProto Body(string name, GraphProto graph) =>
        new() { Name = name, G = graph, Type = AttributeProto.Types.AttributeType.Graph };

    /// <summary>A model with the f32[4] initializer "w" stored as external data.</summary>
    public static ModelProto WithExternalData(string location, long? offset = null, long? length = null)
    {
        ModelProto model = Model(Graph([Tensor("x", 4)], [Tensor("y", 4)], Node("Add", ["x", "w"], ["y"])));
        var tensor = new TensorProto
        {
            Name = "w",
            DataType = (int)OnnxDataType.Float,
            Dims = { 4 },
            DataLocation = TensorProto.Types.DataLocation.External,
            ExternalData = { new StringStringEntryProto { Key = "location", Value = location } },
        };
        if (offset is not null)
        {
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{offset}" });
        }
        if (length is not null)
        {
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{length}" });
        }
        model.Graph.Initializer.Add(tensor);
        return model;
    }

    /// <summary>Writes a model into a folder and returns its path.</summary>
    public static string Save(this ModelProto model, string folder)
    {
        string path = Path.Join(folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }
}
