using System.Collections.Immutable;

namespace Graphene;

/// <summary>Replaces a box of a tensor, at a place that is computed at run time.</summary>
/// <remarks>
/// Operands: a tensor of rank n, any dtype; an update of the same rank and dtype; n start indices, scalars of one integer type.
/// Starts are moved to the nearest ones with which the update lies inside. Exact. Source: StableHLO specification,
/// dynamic_update_slice; labels are the specification's.
/// </remarks>
public sealed record DynamicUpdateSliceOp() : Op("dynamic_update_slice")
{
    /// <summary>The op has no attributes.</summary>
    public static Op Parse(AttributeReader a) => new DynamicUpdateSliceOp();

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.Require(site.OperandCount > 1, DiagnosticId.OperandCount, $"takes a tensor, an update and start indices");
        TensorType x = site.Operand(0);
        TensorType update = site.Operand(1);
        site.RequireSameDType(0, 1); // C2
        site.Require( // C3
            update.Rank == x.Rank, DiagnosticId.RankMismatch, $"the update {update} has not the rank of {x}");
        StartIndices.Require(site, 2, x); // C4, C5
        for (int i = 0; i < x.Rank; i++)
        {
            site.Require( // C6
                site.CanBeAtMost(update.Shape[i], x.Shape[i]), DiagnosticId.OutOfBounds,
                $"the update {update} does not fit into dimension {i} of {x}");
        }
        return new TensorType(x.DType, x.Shape); // C1
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal update = operands[1];
        long[] extents = update.Shape.ToStatic();
        var starts = new long[extents.Length];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = StartIndices.Clamp(operands[2 + i][0], result.Shape[i].Value, extents[i]);
        }
        var source = new long[extents.Length];
        return Literal.Generate(result, at =>
        {
            bool isInside = true;
            for (int i = 0; i < source.Length; i++)
            {
                source[i] = at[i] - starts[i];
                isInside &= source[i] >= 0 && source[i] < extents[i];
            }
            return isInside ? update[source] : operands[0][at];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        Shape extents = e.OperandType(1).Shape;
        ScalarExpr isInside = e.True;
        var source = new ScalarExpr[extents.Rank];
        for (int i = 0; i < source.Length; i++)
        {
            ScalarExpr start = StartIndices.Clamp(e, e.Operand(2 + i), e.OperandType(0).Shape[i], extents[i]);
            source[i] = e.Subtract(at[i], start);
            isInside = e.And(isInside, e.LessOrEqual(e.Index(0), source[i]));
            isInside = e.And(isInside, e.Less(source[i], e.Index(extents[i])));
        }
        return e.Guard(isInside, e.Operand(1, IndexVector.From(source)), e.Operand(0, at));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        Node update = self.Operands[1];
        Node[] starts = [.. self.Operands.Skip(2)];
        return
        [
            b.DynamicUpdateSlice(cotangent, b.Like(update, 0), starts),
            b.DynamicSlice(cotangent, starts, [.. update.Shape]),
            .. new Node?[starts.Length],
        ];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.DynamicUpdateSlice(
            tangents[0] ?? b.Like(self, 0), tangents[1] ?? b.Like(self.Operands[1], 0), [.. self.Operands.Skip(2)]);

    /// <inheritdoc/>
    public override Node? AddTo(GraphBuilder b, Node self, Node other)
    {
        if (!Cotangents.IsZero(self.Operands[0]))
        {
            return null;
        }
        Node update = self.Operands[1];
        Node[] starts = [.. self.Operands.Skip(2)];
        return b.DynamicUpdateSlice(other, b.Add(b.DynamicSlice(other, starts, [.. update.Shape]), update), starts);
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        Node[] starts = [.. Enumerable.Range(2, site.OperandCount - 2).Select(site.Operand)];
        if (Enumerable.Range(2, starts.Length).Any(site.IsMapped))
        {
            return null;
        }
        Node first = starts.Length == 0 ? b.Constant(DType.I32, 0) : b.Like(starts[0], 0);
        return [b.DynamicUpdateSlice(site.Mapped(0), site.Mapped(1), [first, .. starts])];
    }
}

/// <summary>Builds dynamic updates.</summary>
public static class DynamicUpdateSliceBuilder
{
    /// <summary>A copy of <paramref name="x"/> with a box replaced that begins at run-time positions.</summary>
    public static Node DynamicUpdateSlice(this GraphBuilder b, Node x, Node update, IReadOnlyList<Node> starts) =>
        b.Add(new DynamicUpdateSliceOp(), [x, update, .. starts]);
}
