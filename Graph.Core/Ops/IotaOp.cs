namespace Graphene;

/// <summary>Each element is its own index along one dimension.</summary>
/// <remarks>Result: any numeric dtype. Source: StableHLO specification, iota.</remarks>
/// <param name="Type">The result type.</param>
/// <param name="Dimension">The dimension that is counted.</param>
public sealed record IotaOp(TensorType Type, int Dimension) : Op("iota")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new IotaOp(a.ResultType, a.Int("iota_dimension"));

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("iota_dimension", Dimension);

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Type = Type.Substitute(values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(0);
        site.Require( // C1
            Dimension >= 0 && Dimension < Type.Rank, DiagnosticId.BadAxis,
            $"dimension {Dimension} is not one of {Type}", fix: $"choose one of 0..{Type.Rank - 1}");
        site.Require(
            DTypeSet.Numeric.Contains(Type.DType), DiagnosticId.DTypeNotAccepted, $"cannot count in {Type.DType.Name()}");
        return Type;
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result) =>
        Literal.Generate(result, at => Scalar.FromNumber(result.DType, at[Dimension]));

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) =>
        e.Convert(at[Dimension], Type.DType);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");
}

/// <summary>Builds iota.</summary>
public static class IotaBuilder
{
    /// <summary>Each element is its own index along <paramref name="dimension"/>.</summary>
    public static Node Iota(this GraphBuilder b, TensorType type, int dimension) => b.Add(new IotaOp(type, dimension));
}
