namespace Graphene;

/// <summary>A tensor known at compile time.</summary>
/// <param name="Value">The tensor.</param>
public sealed record ConstantOp(Literal Value) : Op("constant")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ConstantOp(a.Literal("value", a.ResultType));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => Value.IsSplat() && Value.ElementCount > 0;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("value", Value);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(0);
        return Value.Type;
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result) => Value;

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) => e.Constant(Value[0]);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");
}

/// <summary>Builds constants.</summary>
public static class ConstantBuilder
{
    /// <summary>A tensor known at compile time.</summary>
    public static Node Constant(this GraphBuilder b, Literal value) => b.Add(new ConstantOp(value));

    /// <summary>A scalar known at compile time.</summary>
    public static Node Constant(this GraphBuilder b, Scalar value) => b.Constant(Literal.FromScalar(value));

    /// <summary>A small number as a scalar of a dtype.</summary>
    public static Node Constant(this GraphBuilder b, DType type, double value) => b.Constant(Scalar.FromNumber(type, value));

    /// <summary>A number in every element of a shape: a broadcast scalar, so it takes no memory.</summary>
    public static Node Splat(this GraphBuilder b, DType type, Shape shape, double value) =>
        b.BroadcastInDim(b.Constant(type, value), shape, []);
}
