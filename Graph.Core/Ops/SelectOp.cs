using System.Collections.Immutable;

namespace Graphene;

/// <summary>Takes each element from one of two tensors.</summary>
/// <remarks>
/// Operands: a bool predicate, scalar or of the others' shape; two tensors of one type. Any dtype, exact. Source: StableHLO
/// specification, select; labels are the specification's.
/// </remarks>
public sealed record SelectOp() : Op("select")
{
    /// <summary>The op has no attributes.</summary>
    public static Op Parse(AttributeReader a) => new SelectOp();

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(3);
        TensorType predicate = site.RequireDType(0, DTypeSet.Bool);
        if (predicate.Rank != 0)
        {
            site.RequireSameShape(0, 1); // C1
        }
        site.RequireSameDType(1, 2); // C2
        site.RequireSameShape(1, 2); // C2
        return new TensorType(site.Operand(1).DType, site.Operand(1).Shape);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal predicate = operands[0];
        long position = 0;
        return Literal.Generate(result, _ =>
        {
            bool isTrue = predicate[predicate.Type.Rank == 0 ? 0 : position].AsBool;
            return operands[isTrue ? 1 : 2][position++];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        ScalarExpr predicate = e.Operand(0, e.OperandType(0).Rank == 0 ? IndexVector.Scalar : at);
        return e.Select(predicate, e.Operand(1, at), e.Operand(2, at));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        [null, b.Masked(self.Operands[0], cotangent), b.Select(self.Operands[0], b.Like(cotangent, 0), cotangent)];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.Select(self.Operands[0], tangents[1] ?? b.Like(self, 0), tangents[2] ?? b.Like(self, 0));

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) =>
        [site.Builder.Select(site.ScalarOrLike(0, site.Node.Shape), site.Mapped(1), site.Mapped(2))];
}

/// <summary>Builds selections.</summary>
public static class SelectBuilder
{
    /// <summary>Elements of <paramref name="whenTrue"/> where the predicate holds, else of <paramref name="whenFalse"/>.</summary>
    public static Node Select(this GraphBuilder b, Node predicate, Node whenTrue, Node whenFalse) =>
        b.Add(new SelectOp(), predicate, whenTrue, whenFalse);
}
