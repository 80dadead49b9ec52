using System.Collections.Immutable;

namespace Graphene;

/// <summary>Repeats an operand along new or size-1 dimensions.</summary>
/// <remarks>
/// Operand dimension i becomes result dimension <c>BroadcastDimensions[i]</c>; it has that dimension's size, or size 1.
/// Any dtype, exact. Source: StableHLO specification, broadcast_in_dim; labels are the specification's.
/// </remarks>
/// <param name="Shape">The result shape.</param>
/// <param name="BroadcastDimensions">One result dimension per operand dimension, ascending or not, without repetition.</param>
public sealed record BroadcastInDimOp(Shape Shape, Axes BroadcastDimensions) : Op("broadcast_in_dim")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new BroadcastInDimOp(a.ResultType.Shape, a.Axes("dims"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("dims", BroadcastDimensions);

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Shape = Shape.Substitute(values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.Operand(0);
        site.Require( // C2, C3, C4
            BroadcastDimensions.Count == x.Rank && BroadcastDimensions.AreUniqueBelow(Shape.Rank), DiagnosticId.BadAxis,
            $"dims {BroadcastDimensions} do not give each dimension of {x} its own place in {Shape}");
        for (int i = 0; i < x.Rank; i++)
        {
            Dim from = x.Shape[i];
            Dim to = Shape[BroadcastDimensions[i]];
            site.Require( // C5
                from == 1 || site.CanBeEqual(from, to), DiagnosticId.NotBroadcastable,
                $"dimension {i} of {x} has size {from}, the result's dimension {BroadcastDimensions[i]} has {to}",
                why: "a broadcast dimension keeps its size or has size 1");
        }
        return x with { Shape = Shape };
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal x = operands[0];
        var source = new long[x.Type.Rank];
        return Literal.Generate(result, at =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                source[i] = x.Shape[i] == 1 ? 0 : at[BroadcastDimensions[i]];
            }
            return x[source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        Shape from = e.OperandType(0).Shape;
        return e.Operand(0, IndexVector.From(BroadcastDimensions.Select((axis, i) => from[i] == 1 ? e.Index(0) : at[axis])));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        Shape from = self.Operands[0].Shape;
        int[] repeated = [.. Enumerable.Range(0, Shape.Rank).Where(
            axis => BroadcastDimensions.IndexOf(axis) is var i && (i < 0 || (from[i] == 1 && Shape[axis] != 1)))];
        Axes kept = Axes.From(BroadcastDimensions.Where(axis => !repeated.Contains(axis)));
        Node sum = repeated.Length == 0 ? cotangent : b.ReduceSum(cotangent, repeated, keepDims: false);
        Axes order = Axes.From(kept.Select(axis => kept.Count(other => other < axis))); // the sum keeps them ascending
        return [b.Reshape(b.Transpose(sum, order), from)];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) =>
        [site.Builder.BroadcastInDim(site.Operand(0), [site.Size, .. Shape], BroadcastDimensions.WithFirst())];
}

/// <summary>Builds broadcasts.</summary>
public static class BroadcastInDimBuilder
{
    /// <summary>Repeats <paramref name="x"/> to a shape; operand dimension i becomes <c>dims[i]</c>.</summary>
    public static Node BroadcastInDim(this GraphBuilder b, Node x, Shape shape, Axes dims) =>
        x.Shape.Equals(shape) && dims.IsIdentity ? x : b.Add(new BroadcastInDimOp(shape, dims), x);
}
