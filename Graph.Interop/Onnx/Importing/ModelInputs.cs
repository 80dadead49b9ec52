using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>Turns the declared types of a model's inputs into tensor types with symbolic dimensions.</summary>
/// <param name="options">Sizes for symbolic dimensions.</param>
internal sealed class ModelInputs(OnnxImportOptions options)
{
    private readonly SortedDictionary<string, Dim> _symbols = new(StringComparer.Ordinal);

    /// <summary>The type of an input.</summary>
    /// <exception cref="GraphException">GR4011: it is not a tensor of known rank and a supported element type.</exception>
    public OnnxPort Read(ValueInfoProto info)
    {
        string where = $"input '{GraphOrder.Shorten(info.Name)}'";
        if (info.Type?.TensorType is not { } tensor)
        {
            string kind = info.Type?.ValueCase switch
            {
                TypeProto.ValueOneofCase.SequenceType => "a sequence",
                TypeProto.ValueOneofCase.MapType => "a map",
                TypeProto.ValueOneofCase.OptionalType => "an optional",
                TypeProto.ValueOneofCase.SparseTensorType => "a sparse tensor",
                _ => "without type",
            };
            throw new GraphException(
                OnnxDiagnosticIds.UnsupportedType, $"onnx: {where} is {kind}", where, "inputs must be dense tensors",
                "export the model with tensor inputs");
        }
        var type = (OnnxDataType)tensor.ElemType;
        DType storage = OnnxTypes.Storage(type, where);
        if (tensor.Shape is null)
        {
            throw new GraphException(
                OnnxDiagnosticIds.UnsupportedType, $"onnx: {where} has no shape", where, "its number of dimensions must be known",
                "export the model with input shapes; dimensions may be symbolic");
        }
        var dims = new Dim[tensor.Shape.Dim.Count];
        for (int axis = 0; axis < dims.Length; axis++)
        {
            dims[axis] = ReadDim(tensor.Shape.Dim[axis], $"{DimExpressionParser.Identifier(info.Name)}_dim{axis}", where);
        }
        return new OnnxPort(info.Name, type, new TensorType(storage, Shape.Create(dims)));
    }

    /// <summary>Checks that every size given for a dimension was for one that the model has.</summary>
    public void RequireAllUsed()
    {
        foreach (string name in options.Dims.Keys)
        {
            if (!_symbols.ContainsKey(name))
            {
                throw new GraphException(
                    OnnxDiagnosticIds.BadDimension, $"onnx: the model has no dimension '{name}'", "the sizes given for dimensions",
                    _symbols.Count == 0 ? "all its dimensions are numbers" : $"it has {string.Join(", ", _symbols.Keys)}",
                    "use one of these names");
            }
        }
    }

    private Dim ReadDim(TensorShapeProto.Types.Dimension dim, string fallback, string where)
    {
        if (dim.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam && dim.DimParam.Length > 0)
        {
            return DimExpressionParser.Parse(dim.DimParam, Symbol);
        }
        // Some exporters write -1 for a dimension that is not fixed.
        if (dim.ValueCase != TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue || dim.DimValue == -1)
        {
            return Symbol(fallback);
        }
        if (dim.DimValue is < 0 or > DimSymbol.Unbounded)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadDimension, $"onnx: {where} has a dimension of size {dim.DimValue}", where,
                $"sizes must be between 0 and {DimSymbol.Unbounded}", "export the model again");
        }
        return dim.DimValue;
    }

    private Dim Symbol(string name)
    {
        if (!_symbols.TryGetValue(name, out Dim dim))
        {
            dim = options.Dims.TryGetValue(name, out long size) ? Checked(name, size) : new DimSymbol(name);
            _symbols.Add(name, dim);
        }
        return dim;
    }

    private static Dim Checked(string name, long size) => size is >= 0 and <= DimSymbol.Unbounded
        ? size
        : throw new GraphException(
            OnnxDiagnosticIds.BadDimension, $"onnx: dimension '{name}' is given the size {size}", "the sizes given for dimensions",
            $"sizes must be between 0 and {DimSymbol.Unbounded}", "give another size");
}
