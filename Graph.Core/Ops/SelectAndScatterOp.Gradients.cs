using System.Collections.Immutable;

namespace Graphene;

/// <content>Gradients: linear in the source, which goes where an element was picked; picking has no derivative.</content>
public sealed partial record SelectAndScatterOp
{
    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "by the source and the initial value, when select compares and scatter adds; other bodies are refused");

    /// <summary>The select that keeps the better element, the earlier one of equals.</summary>
    internal static Computation Keep(DType type, CompareDirection better)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node y = b.Parameter(1, TensorType.Scalar(type));
        CompareDirection orEqual = better == CompareDirection.GT ? CompareDirection.GE : CompareDirection.LE;
        return b.Build("keep", [b.Compare(x, y, orEqual)]);
    }

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        Node cotangent = site.Cotangent(0);
        Node positions = Positions(b, site.Node) ?? throw site.Refuse(Unknown);
        return [null, WindowPositions.Take(b, cotangent, positions), b.Total(cotangent)];
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        GraphBuilder b = site.Builder;
        if (!ScatterAdds)
        {
            throw site.Refuse(Unknown);
        }
        Node x = site.Node.Operands[0];
        ImmutableArray<Node?> t = site.Tangents;
        return t[1] is null && t[2] is null ? [null] : [b.Add(this, x, site.Tangent(1), site.Tangent(2))];
    }

    private const string Unknown = "select is no comparison of its two values, or scatter no sum";

    private bool ScatterAdds => ReductionBody.FunctionOf(Scatter) == ElementwiseTable.Add;

    private Node? Positions(GraphBuilder b, Node node)
    {
        if (!ScatterAdds || Select.Results is not [{ Op: CompareOp { TotalOrder: false } compare, Operands: [var x, var y] }] ||
            !ReferenceEquals(x, Select.Parameters[0]) || !ReferenceEquals(y, Select.Parameters[1]))
        {
            return null;
        }
        return compare.Direction switch
        {
            CompareDirection.GE => WindowPositions.Of(b, node.Operands[0], Window, CompareDirection.GT),
            CompareDirection.GT => WindowPositions.Of(b, node.Operands[0], Window, CompareDirection.GT, lastOfEqual: true),
            CompareDirection.LE => WindowPositions.Of(b, node.Operands[0], Window, CompareDirection.LT),
            CompareDirection.LT => WindowPositions.Of(b, node.Operands[0], Window, CompareDirection.LT, lastOfEqual: true),
            _ => null,
        };
    }
}
