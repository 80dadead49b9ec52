namespace Graphene.Interop.Onnx.Importing;

/// <summary>
/// A value of the ONNX graph while it is imported: a node, a stored tensor, or integers known as dimensions. The latter two
/// become nodes only when an operator uses them as data.
/// </summary>
internal sealed class OnnxValue
{
    private DimTensor? _dims;
    private bool _dimsTried;

    private OnnxValue(OnnxDataType type, TensorType tensorType)
    {
        Type = type;
        TensorType = tensorType;
    }

    /// <summary>The element type in ONNX's terms.</summary>
    public OnnxDataType Type { get; }

    /// <summary>Storage type and shape.</summary>
    public TensorType TensorType { get; }

    /// <summary>The shape.</summary>
    public Shape Shape => TensorType.Shape;

    /// <summary>The number of dimensions.</summary>
    public int Rank => TensorType.Rank;

    /// <summary>The node, when there is one already.</summary>
    public Node? Node { get; private init; }

    /// <summary>The region whose builder owns <see cref="Node"/>.</summary>
    public Region? Region { get; private init; }

    /// <summary>The elements, when they are stored in the file or were computed at import.</summary>
    public Literal? Literal { get; private init; }

    /// <summary>The elements as dimensions, when they are known as such.</summary>
    public DimTensor? Dims
    {
        get
        {
            if (!_dimsTried && Literal is not null)
            {
                _dims = DimTensor.FromLiteral(Type, Literal);
            }
            _dimsTried = true;
            return _dims;
        }
    }

    /// <summary>A value that a node computes.</summary>
    public static OnnxValue FromNode(Region region, Node node, OnnxDataType type) =>
        new(type, node.Type) { Node = node, Region = region, _dimsTried = true };

    /// <summary>A value that is known.</summary>
    public static OnnxValue FromLiteral(Literal literal, OnnxDataType type) => new(type, literal.Type) { Literal = literal };

    /// <summary>A value whose elements are dimensions.</summary>
    public static OnnxValue FromDims(DimTensor dims)
    {
        DType storage = OnnxTypes.Storage(dims.Type, "a shape computation");
        Shape shape = Shape.From(dims.Extents.Select(e => (Dim)e));
        return new OnnxValue(dims.Type, new TensorType(storage, shape))
        {
            _dims = dims,
            _dimsTried = true,
            Literal = dims.IsStatic ? dims.ToLiteral(storage) : null,
        };
    }
}
