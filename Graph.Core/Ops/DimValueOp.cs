namespace Graphene;

/// <summary>The run-time value of a dim as a scalar: what shapes become when a graph computes with them.</summary>
/// <remarks>Result: i64 scalar. StableHLO's get_dimension_size and the Shape ops of front ends are written with it.</remarks>
/// <param name="Dim">A number or an expression over symbols of the computation's parameters.</param>
public sealed record DimValueOp(Dim Dim) : Op("dim_value")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new DimValueOp(a.Dim("dim"));

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) => new DimValueOp(Dim.Substitute(values));

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("dim", Dim);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(0);
        return TensorType.Scalar(DType.I64);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result) =>
        Literal.FromScalar(Scalar.FromInteger(DType.I64, Dim.Value));

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) => e.Index(Dim);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");
}

/// <summary>Reads dims as values.</summary>
public static class DimValueBuilder
{
    /// <summary>The value of a dim as an i64 scalar: a constant when it is a number.</summary>
    public static Node DimValue(this GraphBuilder b, Dim dim) => dim.IsStatic
        ? b.Constant(Scalar.FromInteger(DType.I64, dim.Value))
        : b.Add(new DimValueOp(dim));
}
