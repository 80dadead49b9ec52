using System.Collections.Immutable;

namespace Graphene;

/// <summary>Reorders dimensions: result dimension <c>i</c> is operand dimension <c>Permutation[i]</c>.</summary>
/// <remarks>
/// Operand: any dtype, rank n. Result: same dtype, rank n. Exact. Source: StableHLO specification, transpose; constraint
/// labels are the specification's.
/// </remarks>
/// <param name="Permutation">Each of 0..n-1 once.</param>
public sealed record TransposeOp(Axes Permutation) : Op("transpose")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new TransposeOp(a.Axes("permutation"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("permutation", Permutation);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.Operand(0);
        site.Require( // C2
            Permutation.IsPermutationOf(x.Rank), DiagnosticId.BadPermutation,
            $"permutation {Permutation} does not list each dimension of {x} exactly once",
            why: $"every dimension 0..{x.Rank - 1} must appear once in the permutation",
            fix: $"pass the axes 0..{x.Rank - 1} once each, in the wanted order");
        return new TensorType(x.DType, x.Shape.Permute(Permutation)); // C1, C3
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        var source = new long[result.Rank];
        return Literal.Generate(result, at =>
        {
            for (int i = 0; i < at.Length; i++)
            {
                source[Permutation[i]] = at[i];
            }
            return operands[0][source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) =>
        e.Operand(0, at.Permute(Permutation.Inverse()));

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        [b.Transpose(cotangent, Permutation.Inverse())];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Transpose(site.Operand(0), Permutation.WithFirst())];
}

/// <summary>Builds transposes.</summary>
public static class TransposeBuilder
{
    /// <summary>Reorders dimensions: result dimension i is dimension <c>permutation[i]</c> of <paramref name="x"/>.</summary>
    public static Node Transpose(this GraphBuilder b, Node x, Axes permutation) =>
        permutation.IsIdentity && permutation.Count == x.Rank ? x : b.Add(new TransposeOp(permutation), x);
}
