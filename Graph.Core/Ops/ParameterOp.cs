namespace Graphene;

/// <summary>An input of the computation it stands in.</summary>
/// <param name="Number">Its place in the computation's parameter list.</param>
/// <param name="Type">The type of what is passed.</param>
public sealed record ParameterOp(int Number, TensorType Type) : Op("parameter")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ParameterOp(a.Int("number"), a.ResultType);

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("number", Number);

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Type = Type.Substitute(values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(0);
        return Type;
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");
}
