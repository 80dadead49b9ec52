using System.Collections.Immutable;

namespace Graphene;

/// <summary>Joins tensors end to end along one dimension.</summary>
/// <remarks>
/// Operands: one or more of one dtype and rank, equal in all other dimensions. Exact. Source: StableHLO specification,
/// concatenate; labels are the specification's.
/// </remarks>
/// <param name="Dimension">The dimension that grows.</param>
public sealed record ConcatenateOp(int Dimension) : Op("concatenate")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ConcatenateOp(a.Int("dimension"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("dimension", Dimension);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.Require(site.OperandCount > 0, DiagnosticId.OperandCount, $"takes at least one operand"); // C3
        TensorType first = site.Operand(0);
        site.Require( // C4
            Dimension >= 0 && Dimension < first.Rank, DiagnosticId.BadAxis,
            $"dimension {Dimension} is not one of {first}");
        Dim size = first.Shape[Dimension];
        for (int k = 1; k < site.OperandCount; k++)
        {
            site.RequireSameDType(0, k); // C1
            TensorType x = site.Operand(k);
            site.Require(x.Rank == first.Rank, DiagnosticId.RankMismatch, $"operand {k} is {x}, operand 0 is {first}"); // C2
            for (int i = 0; i < x.Rank; i++)
            {
                site.Require( // C2
                    i == Dimension || site.CanBeEqual(x.Shape[i], first.Shape[i]), DiagnosticId.ShapeMismatch,
                    $"operands 0 and {k} differ in dimension {i}: {first} and {x}",
                    why: $"only dimension {Dimension} may differ");
            }
            size += x.Shape[Dimension];
        }
        return new TensorType(first.DType, first.Shape.With(Dimension, size)); // C5, C6
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        var source = new long[result.Rank];
        return Literal.Generate(result, at =>
        {
            at.CopyTo(source, 0);
            int k = 0;
            while (source[Dimension] >= operands[k].Shape[Dimension].Value)
            {
                source[Dimension] -= operands[k++].Shape[Dimension].Value;
            }
            return operands[k][source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        // From the last operand to the first; each is read only inside its own range.
        ScalarExpr element = e.Constant(Scalar.Zero(e.ResultTypes[0].DType));
        Dim end = e.ResultTypes[0].Shape[Dimension];
        for (int k = e.OperandCount - 1; k >= 0; k--)
        {
            Dim start = end - e.OperandType(k).Shape[Dimension];
            ScalarExpr isInside = e.And(
                e.LessOrEqual(e.Index(start), at[Dimension]), e.Less(at[Dimension], e.Index(end)));
            IndexVector source = at.With(Dimension, e.Subtract(at[Dimension], e.Index(start)));
            element = e.Guard(isInside, e.Operand(k, source), element);
            end = start;
        }
        return element;
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        var parts = new Node?[self.Operands.Length];
        Dim start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            Dim end = start + self.Operands[i].Shape[Dimension];
            parts[i] = b.SliceDimension(cotangent, Dimension, start, end);
            start = end;
        }
        return parts;
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.Concatenate([.. tangents.Select((t, i) => t ?? b.Like(self.Operands[i], 0))], Dimension);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Concatenate(site.AllMapped(), Dimension + 1)];
}

/// <summary>Builds concatenations.</summary>
public static class ConcatenateBuilder
{
    /// <summary>Joins tensors along a dimension; a single one is its own result.</summary>
    public static Node Concatenate(this GraphBuilder b, IReadOnlyList<Node> operands, int dimension) =>
        operands is [var only] ? only : b.Add(new ConcatenateOp(dimension), [.. operands]);
}
