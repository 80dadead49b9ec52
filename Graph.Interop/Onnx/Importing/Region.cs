namespace Graphene.Interop.Onnx.Importing;

/// <summary>The computation that nodes are added to: the model's entry, or the body of a control flow operator.</summary>
/// <remarks>
/// Computations capture nothing. When a body uses a value of an outer region, the value becomes one more parameter of the body,
/// and an operand of the control flow op; known tensors and dimensions are made anew inside instead. A region's own parameters
/// are added before its nodes, so that those for captured values come last.
/// </remarks>
/// <param name="outer">The region around a body.</param>
/// <param name="provenance">The table of origins, shared by all regions of a model.</param>
internal sealed class Region(Region? outer, ProvenanceTable provenance)
{
    private readonly Dictionary<OnnxValue, Node> _nodes = new(ReferenceEqualityComparer.Instance);
    private readonly List<OnnxValue> _captures = [];
    private int _parameterCount;

    /// <summary>Makes the region's nodes.</summary>
    public GraphBuilder Builder { get; } = new(provenance);

    /// <summary>The region around a body.</summary>
    public Region? Outer { get; } = outer;

    /// <summary>Values of outer regions in the order of the parameters that stand for them.</summary>
    public IReadOnlyList<OnnxValue> Captures => _captures;

    /// <summary>Adds the next parameter.</summary>
    public Node AddParameter(TensorType type) => Builder.Parameter(_parameterCount++, type);

    /// <summary>The node that computes a value in this region.</summary>
    public Node NodeOf(OnnxValue value)
    {
        if (ReferenceEquals(value.Region, this))
        {
            return value.Node!;
        }
        if (!_nodes.TryGetValue(value, out Node? node))
        {
            node = value.Literal is not null ? Builder.Constant(value.Literal)
                : value.Dims is not null ? DimNodes.Make(Builder, value.Dims)
                : Capture(value);
            _nodes.Add(value, node);
        }
        return node;
    }

    /// <summary>Closes the region as the body of a control flow op.</summary>
    /// <param name="name">A name for dumps.</param>
    /// <param name="results">The values to return.</param>
    /// <param name="captures">All values that the op's bodies capture; they become the parameters after the region's own.</param>
    public Computation Close(string name, IReadOnlyList<Node> results, IReadOnlyList<OnnxValue> captures)
    {
        Computation own = Builder.Build(name, results);
        int first = own.Parameters.Length - _captures.Count;
        var b = new GraphBuilder(Builder.Provenance);
        var arguments = new Node[own.Parameters.Length];
        for (int i = 0; i < first; i++)
        {
            arguments[i] = b.Parameter(i, own.Parameters[i].Type);
        }
        for (int i = 0; i < captures.Count; i++)
        {
            Node parameter = b.Parameter(first + i, captures[i].TensorType);
            int place = _captures.IndexOf(captures[i]);
            if (place >= 0)
            {
                arguments[first + place] = parameter;
            }
        }
        return b.Build(name, ComputationCloner.Inline(own, b, arguments).Results);
    }

    private Node Capture(OnnxValue value)
    {
        if (Outer is null)
        {
            throw new CompilerBugException("onnx import", "a value of one region is used in another that does not enclose it");
        }
        _captures.Add(value);
        return AddParameter(value.TensorType);
    }
}
