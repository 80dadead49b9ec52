using System.Collections.Immutable;

namespace Graphene;

/// <summary>Turns the order of the elements around along some dimensions.</summary>
/// <remarks>Any dtype, exact. Source: StableHLO specification, reverse; labels are the specification's.</remarks>
/// <param name="Dimensions">The dimensions that are turned.</param>
public sealed record ReverseOp(Axes Dimensions) : Op("reverse")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ReverseOp(a.Axes("dimensions"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("dimensions", Dimensions);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.Operand(0);
        site.Require( // C2, C3
            Dimensions.AreUniqueBelow(x.Rank), DiagnosticId.BadAxis,
            $"dimensions {Dimensions} are not different dimensions of {x}");
        return new TensorType(x.DType, x.Shape); // C1
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        var source = new long[result.Rank];
        return Literal.Generate(result, at =>
        {
            at.CopyTo(source, 0);
            foreach (int axis in Dimensions)
            {
                source[axis] = result.Shape[axis].Value - 1 - at[axis];
            }
            return operands[0][source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        Shape extents = e.OperandType(0).Shape;
        return e.Operand(0, IndexVector.From(at.Select((index, axis) => Dimensions.Contains(axis)
            ? e.Subtract(e.Index(extents[axis] - 1), index)
            : index)));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        [b.Reverse(cotangent, Dimensions)];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Reverse(site.Operand(0), Dimensions.Behind())];
}

/// <summary>Builds reversals.</summary>
public static class ReverseBuilder
{
    /// <summary>Turns the order of the elements around along <paramref name="dimensions"/>.</summary>
    public static Node Reverse(this GraphBuilder b, Node x, Axes dimensions) =>
        dimensions.Count == 0 ? x : b.Add(new ReverseOp(dimensions), x);
}
