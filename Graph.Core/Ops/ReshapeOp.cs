using System.Collections.Immutable;

namespace Graphene;

/// <summary>The same elements in the same row-major order under another shape.</summary>
/// <remarks>Any dtype, exact. Source: StableHLO specification, reshape.</remarks>
/// <param name="Shape">The result shape.</param>
public sealed record ReshapeOp(Shape Shape) : Op("reshape")
{
    /// <summary>Makes the op from the written result type.</summary>
    public static Op Parse(AttributeReader a) => new ReshapeOp(a.ResultType.Shape);

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Shape = Shape.Substitute(values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.Operand(0);
        site.Require( // C2
            site.CanBeEqual(x.Shape.ElementCount, Shape.ElementCount), DiagnosticId.ElementCountMismatch,
            $"{x} has {x.Shape.ElementCount} elements, {Shape} has {Shape.ElementCount}",
            why: "a reshape keeps all elements", fix: "choose a shape with as many elements");
        return new TensorType(x.DType, Shape);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result) =>
        operands[0].Reshape(result.Shape);

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) =>
        e.Operand(0, ReshapeIndexing.Map(e, e.OperandType(0).Shape, Shape, at));

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        [b.Reshape(cotangent, self.Operands[0].Shape)];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Reshape(site.Operand(0), [site.Size, .. Shape])];
}

/// <summary>Builds reshapes.</summary>
public static class ReshapeBuilder
{
    /// <summary>The same elements under another shape.</summary>
    public static Node Reshape(this GraphBuilder b, Node x, Shape shape) =>
        x.Shape.Equals(shape) ? x : b.Add(new ReshapeOp(shape), x);
}
