using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>One node of the ONNX graph, as the function that imports its operator sees it: inputs, attributes, results.</summary>
internal sealed class OperatorCall
{
    private readonly OnnxValue?[] _inputs;
    private readonly OnnxValue?[] _outputs;

    public OperatorCall(
        ModelImporter importer, Region region, NameScope names, NodeProto proto, AttributeSet attributes, Frame frame,
        long version, OnnxValue?[] inputs, string where)
    {
        Importer = importer;
        Region = region;
        Names = names;
        Proto = proto;
        Attributes = attributes;
        Frame = frame;
        Version = version;
        _inputs = inputs;
        _outputs = new OnnxValue?[proto.Output.Count];
        Where = where;
    }

    /// <summary>Imports the subgraphs of control flow operators.</summary>
    public ModelImporter Importer { get; }

    /// <summary>The computation that nodes are added to.</summary>
    public Region Region { get; }

    /// <summary>The names that a subgraph of this node can see.</summary>
    public NameScope Names { get; }

    /// <summary>The message.</summary>
    public NodeProto Proto { get; }

    /// <summary>The attributes.</summary>
    public AttributeSet Attributes { get; }

    /// <summary>What surrounds the node.</summary>
    public Frame Frame { get; }

    /// <summary>The version of the operator's domain that the model imports.</summary>
    public long Version { get; }

    /// <summary>How errors call the node.</summary>
    public string Where { get; }

    /// <summary>Makes nodes.</summary>
    public GraphBuilder B => Region.Builder;

    /// <summary>The number of inputs, missing ones in between included.</summary>
    public int InputCount => _inputs.Length;

    /// <summary>The number of outputs, unused ones in between included.</summary>
    public int OutputCount => _outputs.Length;

    /// <summary>The results.</summary>
    public IReadOnlyList<OnnxValue?> Outputs => _outputs;

    /// <summary>True when an input is given.</summary>
    public bool Has(int input) => input < _inputs.Length && _inputs[input] is not null;

    /// <summary>True when something may use an output.</summary>
    public bool Wants(int output) => output < _outputs.Length && Proto.Output[output].Length > 0;

    /// <summary>An input.</summary>
    /// <exception cref="GraphException">It is not given.</exception>
    public OnnxValue Value(int input) => Has(input) ? _inputs[input]! : throw Bad(
        $"{Proto.OpType} has no input {input}", $"the operator needs one there; the node lists {_inputs.Length} inputs");

    /// <summary>An input as a node.</summary>
    public Node Input(int input) => Region.NodeOf(Value(input));

    /// <summary>An input as a node, or null when it is not given.</summary>
    public Node? Optional(int input) => Has(input) ? Input(input) : null;

    /// <summary>All inputs as nodes.</summary>
    public Node[] Inputs() => [.. Enumerable.Range(0, InputCount).Select(Input)];

    /// <summary>The elements of an integer input as dimensions.</summary>
    /// <exception cref="GraphException">They are known only when the graph runs.</exception>
    public DimTensor Dims(int input, string role)
    {
        OnnxValue value = Value(input);
        if (TryDims(value, mayAskForInputs: true) is { } dims)
        {
            return dims;
        }
        if (!DimTensor.Accepts(value.Type))
        {
            throw Bad($"{Proto.OpType} has {value.TensorType} as {role}", "integers are needed there");
        }
        throw NotKnown(value, role);
    }

    /// <summary>The elements of an integer input as dimensions, or null when they are known only when the graph runs.</summary>
    public DimTensor? TryDims(int input) => TryDims(Value(input), mayAskForInputs: false);

    /// <summary>The elements of an integer input as numbers.</summary>
    /// <exception cref="GraphException">They are known only when the graph runs.</exception>
    public long[] Numbers(int input, string role)
    {
        DimTensor dims = Dims(input, role);
        return dims.IsStatic
            ? [.. dims.Elements.Select(e => e.Value)]
            : throw Unsupported($"{Proto.OpType} has the symbolic {role} [{string.Join(", ", dims.Elements)}]", "numbers are needed there");
    }

    /// <summary>The axes of an input or attribute, each in 0..rank-1.</summary>
    public int[] NormalAxes(IEnumerable<long> axes, int rank)
    {
        int[] normal = [.. axes.Select(a => NormalAxis(a, rank))];
        return normal.Distinct().Count() == normal.Length ? normal : throw Bad(
            $"{Proto.OpType} lists an axis twice: [{string.Join(", ", normal)}]", "axes must be different");
    }

    /// <summary>An axis in 0..rank-1; negative ones count from the end.</summary>
    public int NormalAxis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw Bad($"{Proto.OpType} has the axis {axis}", $"a value of rank {rank} has the axes {-rank}..{rank - 1}");

    /// <summary>The elements of an input.</summary>
    /// <exception cref="GraphException">They are known only when the graph runs.</exception>
    public Literal Known(int input, string role) => TryKnown(input, mayAskForInputs: true) ?? throw NotKnown(Value(input), role);

    /// <summary>The elements of an input, or null when they are known only when the graph runs.</summary>
    /// <param name="input">Which input.</param>
    /// <param name="mayAskForInputs">True to use values that the caller has for the model's inputs, when there is no other way.</param>
    public Literal? TryKnown(int input, bool mayAskForInputs = false)
    {
        OnnxValue value = Value(input);
        return value.Literal ?? (value.Node is null ? null : Importer.Constants.TryEvaluate(Input(input), mayAskForInputs));
    }

    /// <summary>An integer attribute.</summary>
    public long Int(string name, long otherwise) => Attributes.Int(name) ?? otherwise;

    /// <summary>An integer attribute that must be given.</summary>
    public long Int(string name) => Attributes.Int(name) ?? throw Missing(name);

    /// <summary>A number attribute.</summary>
    public float Float(string name, float otherwise) => Attributes.Float(name) ?? otherwise;

    /// <summary>A text attribute.</summary>
    public string Text(string name, string otherwise) => Attributes.Text(name) ?? otherwise;

    /// <summary>A list of integers, or null.</summary>
    public IReadOnlyList<long>? Ints(string name) => Attributes.Ints(name);

    /// <summary>A graph attribute that must be given.</summary>
    public GraphProto Graph(string name) => Attributes.Graph(name) ?? throw Missing(name);

    /// <summary>Sets a result to a node of the element type that holds it.</summary>
    public void Output(int output, Node node) => Output(output, node, OnnxTypes.Of(node.DType));

    /// <summary>Sets a result to a node with an ONNX element type.</summary>
    public void Output(int output, Node node, OnnxDataType type) => Output(output, OnnxValue.FromNode(Region, node, type));

    /// <summary>Sets a result.</summary>
    public void Output(int output, OnnxValue value)
    {
        if (output < _outputs.Length)
        {
            _outputs[output] = value;
        }
    }

    /// <summary>An error about the node itself.</summary>
    public GraphException Bad(string what, string why) =>
        new(OnnxDiagnosticIds.BadNode, $"onnx: {what}", Where, why, "export the model again");

    /// <summary>An error about a use of an operator that is not handled.</summary>
    public GraphException Unsupported(string what, string why, string fix = "export the model without this use of the operator") =>
        new(OnnxDiagnosticIds.UnsupportedUse, $"onnx: {what}", Where, why, fix);

    private GraphException Missing(string attribute) =>
        Bad($"{Proto.OpType} has no attribute '{attribute}'", "the operator needs it");

    private DimTensor? TryDims(OnnxValue value, bool mayAskForInputs)
    {
        if (value.Dims is not null)
        {
            return value.Dims;
        }
        Literal? literal = value.Node is null ? null : Importer.Constants.TryEvaluate(Region.NodeOf(value), mayAskForInputs);
        return literal is null ? null : DimTensor.FromLiteral(value.Type, literal);
    }

    /// <summary>The error about an input whose elements must be known.</summary>
    public GraphException NotKnown(int input, string role) => NotKnown(Value(input), role);

    private GraphException NotKnown(OnnxValue value, string role)
    {
        IReadOnlyList<string> causes = value.Node is null ? [] : Importer.Constants.InputsBehind(value.Node);
        return new GraphException(
            OnnxDiagnosticIds.ValueNeeded,
            $"onnx: {Proto.OpType} needs the values of its {role} at import, but they are known only when the graph runs",
            Where,
            causes.Count == 0 ? "they decide the shape of its result" : $"they depend on the input {string.Join(", ", causes)}",
            "give this input's value at import, or export the model with a constant there");
    }
}
