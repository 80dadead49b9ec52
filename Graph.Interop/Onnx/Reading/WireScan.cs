using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>
/// Walks the headers of a model file before anything is allocated for its content, and refuses what is cut off, nests too
/// deeply or consists of too many messages.
/// </summary>
/// <remarks>
/// A field is a varint key (number and wire type), then a varint, 4 or 8 bytes, or a length and that many bytes. Messages are
/// entered with an explicit stack; strings and raw bytes are skipped without being read.
/// <code>
///   key 7/len  [ key 1/len [ ... NodeProto ... ]  key 5/len [ ... TensorProto: raw_data skipped ... ] ]
/// </code>
/// </remarks>
internal sealed class WireScan
{
    private const int WindowSize = 64 * 1024;

    private readonly ByteSource _source;
    private readonly OnnxLoadOptions _options;
    private readonly string _fileName;
    private readonly byte[] _window = new byte[WindowSize];
    private readonly Stack<(Message Kind, long End)> _open = new();
    private long _windowStart;
    private int _windowLength;
    private long _position;

    private WireScan(ByteSource source, OnnxLoadOptions options, string fileName, Message root)
    {
        _open.Push((root, source.Length));
        _source = source;
        _options = options;
        _fileName = fileName;
    }

    private enum Message
    {
        None,
        Model,
        Graph,
        Node,
        Function,
        Attribute,
        Tensor,
        SparseTensor,
        ValueInfo,
        Type,
        TypeDetail,
        Shape,
        Entry,
    }

    /// <summary>Checks a whole model file.</summary>
    /// <exception cref="GraphException">The file is damaged, or larger in some way than the options allow.</exception>
    public static void CheckModel(ByteSource source, OnnxLoadOptions options, string fileName) =>
        new WireScan(source, options, fileName, Message.Model).Run();

    /// <summary>Checks a file that holds one tensor.</summary>
    /// <exception cref="GraphException">The file is damaged, or larger in some way than the options allow.</exception>
    public static void CheckTensor(ByteSource source, OnnxLoadOptions options, string fileName) =>
        new WireScan(source, options, fileName, Message.Tensor).Run();

    private void Run()
    {
        int messages = 0;
        while (_open.Count > 0)
        {
            (Message kind, long end) = _open.Peek();
            if (_position >= end)
            {
                _open.Pop();
                continue;
            }

            long start = _position;
            ulong key = ReadVarint(end);
            ulong field = key >> 3;
            switch (key & 7)
            {
                case 0:
                    ReadVarint(end);
                    break;
                case 1:
                    Skip(8, end);
                    break;
                case 2:
                    ulong length = ReadVarint(end);
                    if (length > (ulong)(end - _position))
                    {
                        throw Damaged($"field {field} at byte {start} is {length} bytes long, but only {end - _position} are left");
                    }

                    Message child = ChildOf(kind, field);
                    if (child == Message.None)
                    {
                        _position += (long)length;
                    }
                    else
                    {
                        Enter(child, (long)length, ref messages);
                    }

                    break;
                case 5:
                    Skip(4, end);
                    break;
                default:
                    throw Damaged($"byte {start} starts a field of a kind that ONNX files do not use");
            }

            if (field == 0)
            {
                throw Damaged($"byte {start} starts a field with number 0");
            }
        }
    }

    private void Enter(Message child, long length, ref int messages)
    {
        messages++;
        if (messages > _options.MaxMessages)
        {
            throw OnnxErrors.TooLarge(_fileName, $"it holds more than {_options.MaxMessages} messages");
        }

        if (_open.Count >= _options.MaxNesting)
        {
            throw OnnxErrors.TooLarge(_fileName, $"its messages nest more than {_options.MaxNesting} deep");
        }

        _open.Push((child, _position + length));
    }

    private static Message ChildOf(Message kind, ulong field) => (kind, field) switch
    {
        (Message.Model, ModelProto.GraphFieldNumber) => Message.Graph,
        (Message.Model, ModelProto.FunctionsFieldNumber) => Message.Function,
        (Message.Model, ModelProto.OpsetImportFieldNumber) => Message.Entry,
        (Message.Model, ModelProto.MetadataPropsFieldNumber) => Message.Entry,
        (Message.Graph, GraphProto.NodeFieldNumber) => Message.Node,
        (Message.Graph, GraphProto.InitializerFieldNumber) => Message.Tensor,
        (Message.Graph, GraphProto.InputFieldNumber) => Message.ValueInfo,
        (Message.Graph, GraphProto.OutputFieldNumber) => Message.ValueInfo,
        (Message.Graph, GraphProto.ValueInfoFieldNumber) => Message.ValueInfo,
        (Message.Graph, GraphProto.SparseInitializerFieldNumber) => Message.SparseTensor,
        (Message.Node, NodeProto.AttributeFieldNumber) => Message.Attribute,
        (Message.Function, FunctionProto.NodeFieldNumber) => Message.Node,
        (Message.Function, FunctionProto.OpsetImportFieldNumber) => Message.Entry,
        (Message.Function, FunctionProto.AttributeProtoFieldNumber) => Message.Attribute,
        (Message.Function, FunctionProto.ValueInfoFieldNumber) => Message.ValueInfo,
        (Message.Attribute, AttributeProto.TFieldNumber) => Message.Tensor,
        (Message.Attribute, AttributeProto.TensorsFieldNumber) => Message.Tensor,
        (Message.Attribute, AttributeProto.GFieldNumber) => Message.Graph,
        (Message.Attribute, AttributeProto.GraphsFieldNumber) => Message.Graph,
        (Message.Attribute, AttributeProto.TpFieldNumber) => Message.Type,
        (Message.Attribute, AttributeProto.TypeProtosFieldNumber) => Message.Type,
        (Message.Attribute, AttributeProto.SparseTensorFieldNumber) => Message.SparseTensor,
        (Message.Attribute, AttributeProto.SparseTensorsFieldNumber) => Message.SparseTensor,
        (Message.Tensor, TensorProto.SegmentFieldNumber) => Message.Entry,
        (Message.Tensor, TensorProto.ExternalDataFieldNumber) => Message.Entry,
        (Message.SparseTensor, SparseTensorProto.ValuesFieldNumber) => Message.Tensor,
        (Message.SparseTensor, SparseTensorProto.IndicesFieldNumber) => Message.Tensor,
        (Message.ValueInfo, ValueInfoProto.TypeFieldNumber) => Message.Type,
        // Sequence, map and optional types hold a type in field 1 or 2; tensor types hold a shape in field 2.
        (Message.Type, TypeProto.TensorTypeFieldNumber) => Message.Shape,
        (Message.Type, TypeProto.SparseTensorTypeFieldNumber) => Message.Shape,
        (Message.Type, TypeProto.SequenceTypeFieldNumber) => Message.TypeDetail,
        (Message.Type, TypeProto.MapTypeFieldNumber) => Message.TypeDetail,
        (Message.Type, TypeProto.OptionalTypeFieldNumber) => Message.TypeDetail,
        (Message.TypeDetail, TypeProto.Types.Sequence.ElemTypeFieldNumber) => Message.Type,
        (Message.TypeDetail, TypeProto.Types.Map.ValueTypeFieldNumber) => Message.Type,
        (Message.Shape, TypeProto.Types.Tensor.ShapeFieldNumber) => Message.Shape,
        (Message.Shape, TensorShapeProto.DimFieldNumber) => Message.Entry,
        _ => Message.None,
    };

    private void Skip(int count, long end)
    {
        if (end - _position < count)
        {
            throw Damaged($"it ends inside a number at byte {_position}");
        }

        _position += count;
    }

    private ulong ReadVarint(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (_position >= end)
            {
                throw Damaged($"it ends inside a number at byte {_position}");
            }

            byte next = ByteAt(_position++);
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged($"the number before byte {_position} is longer than 64 bits");
    }

    private byte ByteAt(long position)
    {
        if (position < _windowStart || position >= _windowStart + _windowLength)
        {
            _windowStart = position;
            _windowLength = _source.Read(position, _window);
            if (_windowLength == 0)
            {
                throw Damaged($"it became shorter while it was read (byte {position})");
            }
        }

        return _window[position - _windowStart];
    }

    private GraphException Damaged(string what) =>
        OnnxErrors.Damaged(_fileName, $"{what} (inside {string.Join(" > ", _open.Reverse().Take(6).Select(f => f.Kind))})");
}
