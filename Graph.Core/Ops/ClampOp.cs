using System.Collections.Immutable;

namespace Graphene;

/// <summary>Limits each element: <c>minimum(maximum(x, min), max)</c>.</summary>
/// <remarks>
/// Operands: min, x, max, of one dtype, any; each bound is a scalar or has the shape of x. NaN in any of them gives NaN; when min
/// is above max the result is max. Source: StableHLO specification, clamp; labels are the specification's.
/// </remarks>
public sealed record ClampOp() : Op("clamp")
{
    /// <summary>The op has no attributes.</summary>
    public static Op Parse(AttributeReader a) => new ClampOp();

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(3);
        TensorType x = site.RequireDType(1, DTypeSet.All);
        foreach (int bound in (ReadOnlySpan<int>)[0, 2])
        {
            site.RequireSameDType(1, bound); // C3
            if (site.Operand(bound).Rank != 0)
            {
                site.RequireSameShape(1, bound); // C1, C2
            }
        }
        return new TensorType(x.DType, x.Shape); // C4
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        long position = 0;
        return Literal.Generate(result, _ =>
        {
            Scalar min = operands[0][operands[0].Type.Rank == 0 ? 0 : position];
            Scalar max = operands[2][operands[2].Type.Rank == 0 ? 0 : position];
            Scalar x = operands[1][position++];
            return result.DType.IsFloating()
                ? Scalar.FromDouble(result.DType, Math.Min(Math.Max(x.AsDouble, min.AsDouble), max.AsDouble))
                : Scalar.FromInteger(result.DType, Int128.Min(Int128.Max(x.AsInteger, min.AsInteger), max.AsInteger));
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) =>
        e.Minimum(e.Maximum(e.Operand(1, at), Bound(e, 0, at)), Bound(e, 2, at));

    private static ScalarExpr Bound(ElementBuilder e, int operand, IndexVector at) =>
        e.Operand(operand, e.OperandType(operand).Rank == 0 ? IndexVector.Scalar : at);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut("an element on a bound gives its cotangent to nobody");

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        (Node min, Node x, Node max) = Masks(b, self);
        return [Bound(b, self.Operands[0], b.Masked(min, cotangent)), b.Masked(x, cotangent),
            Bound(b, self.Operands[2], b.Masked(max, cotangent))];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents)
    {
        (Node min, Node x, Node max) = Masks(b, self);
        Node? sum = null;
        foreach ((Node? tangent, Node mask) in (ReadOnlySpan<(Node?, Node)>)[(tangents[0], min), (tangents[1], x), (tangents[2], max)])
        {
            sum = tangent is null ? sum : b.SumOrNull(sum, b.Masked(mask, b.BroadcastTo(tangent, self.Shape)));
        }
        return sum;
    }

    // Where the lower bound, the element and the upper bound are the result.
    private static (Node Min, Node X, Node Max) Masks(GraphBuilder b, Node self)
    {
        Node x = self.Operands[1];
        Node min = b.BroadcastTo(self.Operands[0], x.Shape);
        Node max = b.BroadcastTo(self.Operands[2], x.Shape);
        Node isInside = b.And(b.Greater(x, min), b.Less(x, max));
        return (b.And(b.Greater(min, x), b.Less(min, max)), isInside, b.Or(b.Greater(x, max), b.Greater(min, max)));
    }

    private static Node Bound(GraphBuilder b, Node bound, Node cotangent) => bound.Rank == 0 ? b.Total(cotangent) : cotangent;

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        Shape shape = site.Node.Shape;
        return [site.Builder.Clamp(site.ScalarOrLike(0, shape), site.Mapped(1), site.ScalarOrLike(2, shape))];
    }
}

/// <summary>Builds clamps.</summary>
public static class ClampBuilder
{
    /// <summary>Limits the elements of <paramref name="x"/>; bounds are scalars or have its shape.</summary>
    public static Node Clamp(this GraphBuilder b, Node min, Node x, Node max) => b.Add(new ClampOp(), min, x, max);
}
