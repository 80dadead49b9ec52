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
}

/// <summary>Builds clamps.</summary>
public static class ClampBuilder
{
    /// <summary>Limits the elements of <paramref name="x"/>; bounds are scalars or have its shape.</summary>
    public static Node Clamp(this GraphBuilder b, Node min, Node x, Node max) => b.Add(new ClampOp(), min, x, max);
}
