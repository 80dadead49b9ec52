using System.Globalization;

namespace Graphene.Codegen;

/// <summary>
/// The inside of a fusion as scalar expressions: its parameters and larger constants are sources, everything else is composed.
/// </summary>
public sealed class FusionSource
{
    private readonly List<KBuffer> _sources = [];
    private readonly PackedPanels?[] _panels;
    private readonly Dictionary<Node, int> _constants = new(ReferenceEqualityComparer.Instance);
    private readonly ElementComposer _composer;

    /// <summary>Prepares a fusion for lowering.</summary>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="arguments">Receives one input buffer per parameter, then one output per result.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result, so are not read-only.</param>
    /// <param name="leaf">Gives elements of nodes that a schedule computes itself, for example a dot; null for none.</param>
    /// <param name="lookups">Operands that are there in panels only; null for none.</param>
    internal FusionSource(
        Node fusion, KernelArguments arguments, Func<int, bool> isOverwritten, Func<Node, int, IndexVector, ScalarExpr?>? leaf = null,
        PackedLookups? lookups = null)
    {
        Body = ((FusionOp)fusion.Op).Body;
        Arguments = arguments;
        _panels = new PackedPanels?[Body.Parameters.Length];
        for (int i = 0; i < Body.Parameters.Length; i++)
        {
            string name = "in" + i.ToString(CultureInfo.InvariantCulture);
            _panels[i] = lookups?.Of(fusion, i);
            KernelOperand operand = _panels[i] is { } panels
                ? new KernelOperand.Constant(panels)
                : new KernelOperand.Value(fusion.Operands[i]);
            DType type = Body.Parameters[i].DType;
            WritesOverOperand |= isOverwritten(i);
            _sources.Add(isOverwritten(i) ? arguments.Output(name, type, operand) : arguments.Input(name, type, operand));
        }
        Outputs = [.. Body.Results.Select((r, i) => arguments.Output(
            "out" + i.ToString(CultureInfo.InvariantCulture), r.DType, new KernelOperand.Value(fusion, i)))];
        _composer = new ElementComposer(new ExprPool(), (node, result, at) => leaf?.Invoke(node, result, at) ?? Leaf(node, at));
        Factory = new ExprFactory(_composer.Pool);
    }

    /// <summary>The fused computation.</summary>
    public Computation Body { get; }

    /// <summary>The kernel's buffers.</summary>
    public KernelArguments Arguments { get; }

    /// <summary>One buffer per result.</summary>
    public IReadOnlyList<KBuffer> Outputs { get; }

    /// <summary>True when a result shares memory with an operand.</summary>
    public bool WritesOverOperand { get; }

    /// <summary>Makes expressions of this kernel.</summary>
    public ExprFactory Factory { get; }

    /// <summary>The buffer behind a source number.</summary>
    public KBuffer Source(int number) => _sources[number];

    /// <summary>An element of a node inside the fusion.</summary>
    public ScalarExpr Element(Node node, IndexVector at) => _composer.Element(node, at);

    private ScalarExpr? Leaf(Node node, IndexVector at)
    {
        if (node.Op is ParameterOp parameter)
        {
            return _panels[parameter.Number] is { } panels
                ? Factory.Load(parameter.Number, panels.PackedType, panels.Place(Factory, at))
                : Factory.Load(parameter.Number, node.Type, at);
        }
        if (node.Op is not ConstantOp { HasElementForm: false } constant)
        {
            return null;
        }
        if (!_constants.TryGetValue(node, out int source))
        {
            source = _sources.Count;
            _constants.Add(node, source);
            _sources.Add(Arguments.Input("const", node.DType, new KernelOperand.Constant(constant.Value)));
        }
        return Factory.Load(source, node.Type, at);
    }
}
