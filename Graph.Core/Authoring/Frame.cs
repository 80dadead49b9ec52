namespace Graphene;

/// <summary>
/// Where ops are built: the graph itself, or the body of a branch or loop. A body that uses a tensor from outside captures it, and
/// each capture becomes an explicit operand when the body is closed.
/// </summary>
internal sealed class Frame
{
    private readonly Dictionary<FrameInput, Node> _captures = [];
    private readonly List<FrameInput> _captured = [];
    private readonly Node[] _parameters;

    /// <summary>The frame of a graph.</summary>
    public Frame(Graph graph)
    {
        Graph = graph;
        Builder = new GraphBuilder();
        _parameters = [];
    }

    /// <summary>The frame of a body with parameters of some types.</summary>
    public Frame(Frame parent, IEnumerable<TensorType> types)
    {
        Graph = parent.Graph;
        Parent = parent;
        Builder = new GraphBuilder(parent.Builder.Provenance);
        _parameters = [.. types.Select((type, i) => Builder.Parameter(i, type))];
    }

    public Graph Graph { get; }

    public Frame? Parent { get; }

    public GraphBuilder Builder { get; }

    /// <summary>The body's own parameters as tensors.</summary>
    public Tensor[] Parameters => [.. _parameters.Select(p => new Tensor(this, p))];

    /// <summary>What was captured from the parent, in the order of first use.</summary>
    public IReadOnlyList<FrameInput> Captured => _captured;

    /// <summary>What happens in this body, in order.</summary>
    public List<Node> Effects { get; } = [];

    /// <summary>In a body: the values of variables that were assigned here.</summary>
    public Dictionary<Variable, Node> State { get; } = [];

    /// <summary>The node that stands for a tensor here.</summary>
    public Node Import(Tensor tensor)
    {
        if (ReferenceEquals(tensor.Frame, this))
        {
            return tensor.Node;
        }
        if (!ReferenceEquals(tensor.Graph, Graph))
        {
            throw Error(
                DiagnosticId.OtherGraph, $"{tensor} belongs to graph '{tensor.Graph.Name}', not '{Graph.Name}'",
                "tensors of one graph only can be used together", "build both in one graph");
        }
        return Parent is null
            ? throw Error(
                DiagnosticId.TensorOutOfScope, $"{tensor} was made inside a branch or loop body and is not known outside",
                "a body may not run, or run many times", "return it from the body")
            : Capture(Parent.Import(tensor));
    }

    /// <summary>The value of a variable at this point.</summary>
    public Node Read(Variable variable) =>
        State.TryGetValue(variable, out Node? value) ? value
        : Parent is null ? Builder.Add(new VariableReadOp(variable, variable.Version))
        : Parameter(new FrameInput(null, variable));

    /// <summary>Gives a variable a value. In the graph itself that is a node; in a body it is passed out when the body is closed.</summary>
    public Node Assign(Variable variable, Node value)
    {
        if (Parent is null)
        {
            variable.Version++;
            return Builder.Add(new VariableAssignOp(variable), value);
        }
        State[variable] = value;
        return value;
    }

    /// <summary>The body as a computation over its own parameters and a list of captured values.</summary>
    /// <param name="name">A name for dumps.</param>
    /// <param name="captured">What becomes parameters after the body's own; holds all that it captured.</param>
    /// <param name="results">The body's nodes to return.</param>
    public Computation Close(string name, IReadOnlyList<FrameInput> captured, IEnumerable<Node> results)
    {
        var b = new GraphBuilder(Builder.Provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < _parameters.Length; i++)
        {
            copies.Add(_parameters[i], b.Parameter(i, _parameters[i].Type));
        }
        for (int i = 0; i < captured.Count; i++)
        {
            Node parameter = b.Parameter(_parameters.Length + i, captured[i].Type);
            if (_captures.TryGetValue(captured[i], out Node? inner))
            {
                copies.Add(inner, parameter);
            }
        }
        Node[] effects = [.. Effects.Select(n => ComputationCloner.Clone(n, b, copies))];
        return b.Build(name, [.. results.Select(n => ComputationCloner.Clone(n, b, copies))], effects);
    }

    /// <summary>The parameter that stands for something outside.</summary>
    public Node Parameter(FrameInput input)
    {
        if (!_captures.TryGetValue(input, out Node? inner))
        {
            inner = Builder.Parameter(_parameters.Length + _captured.Count, input.Type);
            _captures.Add(input, inner);
            _captured.Add(input);
        }
        return inner;
    }

    /// <summary>What is passed for something outside of a body that stands in this frame.</summary>
    public Node ValueOf(FrameInput input) => input.Node ?? Read(input.Variable!);

    // What has no operands, or only repeats such a value, is simply made again.
    private Node Capture(Node outer)
    {
        if (IsConstant(outer))
        {
            return Builder.Add(outer.Op);
        }
        return outer.Op is BroadcastInDimOp && IsConstant(outer.Operands[0])
            ? Builder.Add(outer.Op, Builder.Add(outer.Operands[0].Op))
            : Parameter(new FrameInput(outer, null));
    }

    private static bool IsConstant(Node node) => node.Op is ConstantOp or IotaOp or DimValueOp;

    private GraphException Error(DiagnosticId id, string what, string why, string fix) =>
        new(id, what, Builder.CurrentOrigin is { } origin ? $"built in {origin}" : null, why, fix);
}

/// <summary>What a body uses from outside: a value, or a variable as it is when the body begins.</summary>
/// <param name="Node">The value in the parent's frame; null for a variable.</param>
/// <param name="Variable">The variable; null for a value.</param>
internal readonly record struct FrameInput(Node? Node, Variable? Variable)
{
    /// <summary>Its type.</summary>
    public TensorType Type => Node?.Type ?? Variable!.Type;
}
