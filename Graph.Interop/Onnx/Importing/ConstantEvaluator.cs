namespace Graphene.Interop.Onnx.Importing;

/// <summary>Computes values at import, when an operator needs them to know its result's shape.</summary>
/// <remarks>
/// Works on nodes that depend on constants only, or on inputs whose values the caller provides. The work is bounded, so that a
/// model cannot make the import slow.
/// </remarks>
/// <param name="options">Gives the values of inputs.</param>
internal sealed class ConstantEvaluator(OnnxImportOptions options)
{
    private const long MaxElementsOfAValue = 1L << 20;

    private readonly Dictionary<Node, Literal[]> _values = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, string> _inputs = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> _unknown = new(ReferenceEqualityComparer.Instance);
    private readonly SortedSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>The inputs whose values have gone into the graph.</summary>
    public IReadOnlyCollection<string> UsedInputs => _used;

    /// <summary>Names a parameter of the model.</summary>
    public void AddInput(Node parameter, string name) => _inputs.Add(parameter, name);

    /// <summary>The value of a node, or null when it cannot be known or is too large to compute here.</summary>
    /// <param name="node">The node.</param>
    /// <param name="mayAskForInputs">
    /// True to use the values that the caller has for inputs, which ties the graph to them: only where there is no other way.
    /// </param>
    public Literal? TryEvaluate(Node node, bool mayAskForInputs)
    {
        if (_values.TryGetValue(node, out Literal[]? known))
        {
            return known[0];
        }
        if (!mayAskForInputs && _unknown.Contains(node))
        {
            return null;
        }
        foreach (Node step in Traversal.PostOrder([node]))
        {
            if (_values.ContainsKey(step))
            {
                continue;
            }
            if (TryStep(step, mayAskForInputs) is not { } value)
            {
                _unknown.Add(step);
                _unknown.Add(node);
                return null;
            }
            _values.Add(step, value);
        }
        return _values[node][0];
    }

    /// <summary>The model inputs that a node depends on.</summary>
    public IReadOnlyList<string> InputsBehind(Node node) =>
        [.. Traversal.PostOrder([node]).Where(_inputs.ContainsKey).Select(n => $"'{_inputs[n]}'").Distinct()];

    private Literal[]? TryStep(Node step, bool mayAskForInputs)
    {
        if (step.Op is ParameterOp)
        {
            return mayAskForInputs ? InputValue(step) : null;
        }
        if (step.Op is GetTupleElementOp element)
        {
            return [_values[step.Operands[0]][element.Index]];
        }
        if (step.Op is ConstantOp constant)
        {
            return [constant.Value];
        }
        bool bounded = !step.Op.HasSideEffects && !DependsOnSymbols(step.Op) && step.Types.All(IsSmall) &&
            (!step.Op.IsExpensive || step.Operands.All(o => IsSmall(o.Type)));
        return bounded ? step.Op.EvaluateAll([.. step.Operands.Select(o => _values[o][0])], step.Types) : null;
    }

    // Such ops can have static types: one element at a symbolic place, for example.
    private static bool DependsOnSymbols(Op op) => op switch
    {
        DimValueOp { Dim.IsStatic: false } => true,
        SliceOp slice => slice.Starts.Concat(slice.Limits).Any(d => !d.IsStatic),
        PadOp pad => pad.Low.Concat(pad.High).Any(d => !d.IsStatic),
        ReduceWindowOp reduce => reduce.Window.Any(IsSymbolic),
        ConvolutionOp convolution => convolution.Window.Any(IsSymbolic),
        _ => op.Computations.SelectMany(c => c.PostOrder()).Any(
            n => DependsOnSymbols(n.Op) || n.Types.Any(t => !t.Shape.IsStatic)),
    };

    private static bool IsSymbolic(WindowDim d) => !(d.Size.IsStatic && d.Low.IsStatic && d.High.IsStatic);

    private static bool IsSmall(TensorType type) => type.Shape.IsStatic && type.Shape.ElementCount.Value <= MaxElementsOfAValue;

    private Literal[]? InputValue(Node parameter)
    {
        if (!_inputs.TryGetValue(parameter, out string? name) || options.InputValues?.Invoke(name) is not { } value)
        {
            return null;
        }
        if (value.DType != parameter.DType || value.Type.Rank != parameter.Rank)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadDimension, $"onnx: the value given for input '{name}' is {value.Type}", name,
                $"the model declares {parameter.Type}", "give a value of that type");
        }
        _used.Add(name);
        return [value];
    }
}
