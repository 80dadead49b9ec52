namespace Graphene.Codegen;

/// <summary>
/// Lowers nodes of equal structure once: networks repeat their layers, and what one layer became serves the others on their own
/// operands and weights.
/// </summary>
/// <remarks>
/// <code>
/// fusion A (x, weights 1) lowered:  kernel K on [x, packed(weights 1), A]
/// fusion B (y, weights 2), equal:   kernel K on [y, packed(weights 2), B]
/// </code>
/// A lowering may ask of a node: its op, its types, which operands are one and the same, which share memory with a
/// result, which are constant, in which panels such a constant is looked up, whether it is finite, and which have a
/// border of zeros. All of that is in <see cref="Form"/>; a lowering that comes to ask for more adds it there.
/// </remarks>
/// <param name="target">The machine.</param>
internal sealed class KernelTemplates(KernelTarget target)
{
    private readonly Dictionary<Form, (Node Node, IReadOnlyList<LoweredKernel> Kernels)> _lowered = [];

    /// <summary>The kernels of a node; kernels of nodes of equal structure are the same objects.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">A fusion, or an op that is never fused.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only; null for none.</param>
    public IReadOnlyList<LoweredKernel> Lower(
        string name, Node node, Func<int, bool> isOverwritten, PackedLookups? lookups = null)
    {
        lookups ??= PackedLookups.None;
        Form form = Form.Of(node, isOverwritten, lookups);
        if (_lowered.TryGetValue(form, out (Node Node, IReadOnlyList<LoweredKernel> Kernels) template) &&
            TryMove(template.Kernels, template.Node, node) is { } moved)
        {
            return moved;
        }
        IReadOnlyList<LoweredKernel> kernels = NodeLowering.Lower(name, node, target, isOverwritten, lookups);
        _lowered.TryAdd(form, (node, kernels));
        return kernels;
    }

    private static LoweredKernel[]? TryMove(IReadOnlyList<LoweredKernel> kernels, Node from, Node to)
    {
        var moved = new LoweredKernel[kernels.Count];
        for (int i = 0; i < moved.Length; i++)
        {
            KernelOperand?[] operands = [.. kernels[i].Operands.Select(o => Move(o, from, to))];
            if (Array.Exists(operands, o => o is null))
            {
                return null;
            }
            moved[i] = kernels[i] with { Operands = operands! };
        }
        return moved;
    }

    private static KernelOperand? Move(KernelOperand operand, Node from, Node to)
    {
        switch (operand)
        {
            case KernelOperand.Value value when ReferenceEquals(value.Node, from):
                return value with { Node = to };
            case KernelOperand.Value value:
                int place = from.Operands.IndexOf(value.Node);
                return place < 0 ? null : value with { Node = to.Operands[place] };
            case KernelOperand.Constant constant:
                return constant.Content.With(literal => Counterpart(literal, from, to)) is { } content
                    ? new KernelOperand.Constant(content)
                    : null;
            default:
                return operand;
        }
    }

    // What stands for an operand's value in the other node; a literal of the fusion's body is the same in both.
    private static Literal Counterpart(Literal literal, Node from, Node to)
    {
        for (int i = 0; i < from.Operands.Length; i++)
        {
            if (from.Operands[i].Op is ConstantOp constant && ReferenceEquals(constant.Value, literal))
            {
                return ((ConstantOp)to.Operands[i].Op).Value;
            }
        }
        return literal;
    }

    /// <summary>What a lowering may know about a node.</summary>
    private sealed record Form(Op Op, ValueList<TensorType> Types, ValueList<Argument> Operands)
    {
        public static Form Of(Node node, Func<int, bool> isOverwritten, PackedLookups lookups) => new(
            node.Op, [.. node.Types], [.. node.Operands.Select((o, i) => new Argument(
                o.Type, node.Operands.IndexOf(o), isOverwritten(i), o.Op is ConstantOp,
                o.Op is ConstantOp constant && IsConvolution(node.Op) && constant.Value.IsFinite(),
                lookups.Of(node, i) is { } panels ? (panels.ColumnAxis, panels.Width) : null,
                IsConvolution(node.Op) ? ZeroBorder.Of(o) : null))]);

        private static bool IsConvolution(Op op) => op is FusionOp { Kind: FusionKind.Convolution };
    }

    private readonly record struct Argument(
        TensorType Type, int FirstPlace, bool IsOverwritten, bool IsConstant, bool IsFinite, (int? Axis, int Width)? Panels,
        ValueList<(long Low, long High)>? Border);
}
