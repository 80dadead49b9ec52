using System.Collections.Immutable;

namespace Graphene;

/// <summary>Contracts dimensions of two tensors and pairs batch dimensions.</summary>
/// <remarks>
/// Result dimensions: the batch dimensions, then the free ones of lhs, then the free ones of rhs. Each element is the sum, in
/// ascending row-major order of the contracting indices (in the order lhs lists them), of products; floating types accumulate
/// with fused multiply-add in <see cref="AccumulationType"/> and round once to the result type; integers wrap in the result type.
/// Source: StableHLO specification, dot_general; labels are the specification's.
/// </remarks>
/// <param name="LhsBatch">Batch dimensions of lhs.</param>
/// <param name="RhsBatch">Batch dimensions of rhs, pairwise of equal size.</param>
/// <param name="LhsContracting">Contracted dimensions of lhs.</param>
/// <param name="RhsContracting">Contracted dimensions of rhs, pairwise of equal size.</param>
/// <param name="ResultType">The element type of the result: the operands', or a wider one (i32 for i8, f32 for f16 and bf16).</param>
public sealed record DotGeneralOp(
    Axes LhsBatch, Axes RhsBatch, Axes LhsContracting, Axes RhsContracting, DType ResultType) : Op("dot_general")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new DotGeneralOp(
        a.Axes("lhs_batch"), a.Axes("rhs_batch"), a.Axes("lhs_contracting"), a.Axes("rhs_contracting"), a.DType("result_type"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <summary>The type that sums are kept in: f32 for f16, bf16 and f32; the result type otherwise.</summary>
    public DType AccumulationType => ResultType is DType.F16 or DType.BF16 ? DType.F32 : ResultType;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("lhs_batch", LhsBatch);
        w.Add("rhs_batch", RhsBatch);
        w.Add("lhs_contracting", LhsContracting);
        w.Add("rhs_contracting", RhsContracting);
        w.Add("result_type", ResultType);
    }

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(2);
        TensorType lhs = site.RequireDType(0, DTypeSet.Numeric);
        TensorType rhs = site.RequireDType(1, DTypeSet.Numeric);
        RequireAxes(site, lhs, LhsBatch, LhsContracting, "lhs"); // C3, C5, C7
        RequireAxes(site, rhs, RhsBatch, RhsContracting, "rhs"); // C4, C6, C8
        RequirePairs(site, LhsBatch, RhsBatch, "batch"); // C1, C9
        RequirePairs(site, LhsContracting, RhsContracting, "contracted"); // C2, C10
        return new TensorType(ResultType, Shape.From(
        [
            .. LhsBatch.Select(d => lhs.Shape[d]),
            .. LhsFree(lhs.Rank).Select(d => lhs.Shape[d]),
            .. RhsFree(rhs.Rank).Select(d => rhs.Shape[d]),
        ])); // C12
    }

    /// <summary>The dimensions of lhs that are neither batched nor contracted.</summary>
    public Axes LhsFree(int rank) => Axes.From([.. LhsBatch, .. LhsContracting]).Complement(rank);

    /// <summary>The dimensions of rhs that are neither batched nor contracted.</summary>
    public Axes RhsFree(int rank) => Axes.From([.. RhsBatch, .. RhsContracting]).Complement(rank);

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal lhs = operands[0];
        Literal rhs = operands[1];
        Axes lhsFree = LhsFree(lhs.Type.Rank);
        Axes rhsFree = RhsFree(rhs.Type.Rank);
        long[] contracted = [.. LhsContracting.Select(d => lhs.Shape[d].Value)];
        var left = new long[lhs.Type.Rank];
        var right = new long[rhs.Type.Rank];
        return Literal.Generate(result, at =>
        {
            Place(left, LhsBatch, at, 0);
            Place(right, RhsBatch, at, 0);
            Place(left, lhsFree, at, LhsBatch.Count);
            Place(right, rhsFree, at, LhsBatch.Count + lhsFree.Count);
            double floating = 0;
            Int128 integer = 0;
            foreach (long[] k in IndexSpace.Of(contracted))
            {
                Place(left, LhsContracting, k, 0);
                Place(right, RhsContracting, k, 0);
                if (ResultType.IsFloating())
                {
                    floating += lhs[left].AsDouble * rhs[right].AsDouble;
                }
                else
                {
                    integer = Scalar.FromInteger(ResultType, integer + (lhs[left].AsInteger * rhs[right].AsInteger)).AsInteger;
                }
            }
            return ResultType.IsFloating() ? Scalar.FromDouble(ResultType, floating) : Scalar.FromInteger(ResultType, integer);
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        TensorType lhs = e.OperandType(0);
        TensorType rhs = e.OperandType(1);
        Axes lhsFree = LhsFree(lhs.Rank);
        Axes rhsFree = RhsFree(rhs.Rank);
        ScalarExpr[] sum = e.Loop(
            [.. LhsContracting.Select(d => lhs.Shape[d])],
            [e.Constant(Scalar.Zero(AccumulationType))],
            (k, carried) =>
            {
                ScalarExpr x = e.Operand(0, Index(lhs.Rank, axis => Pick(axis, LhsBatch, LhsContracting, lhsFree, 0)));
                ScalarExpr y = e.Operand(1, Index(rhs.Rank, axis => Pick(axis, RhsBatch, RhsContracting, rhsFree, lhsFree.Count)));
                return [Accumulate(e, x, y, carried[0])];

                ScalarExpr Pick(int axis, Axes batch, Axes contracting, Axes free, int freeOffset) =>
                    contracting.IndexOf(axis) is >= 0 and var c ? k[c]
                    : batch.IndexOf(axis) is >= 0 and var b ? at[b]
                    : at[batch.Count + freeOffset + free.IndexOf(axis)];
            });
        return e.Convert(sum[0], ResultType);
    }

    private ScalarExpr Accumulate(ElementBuilder e, ScalarExpr x, ScalarExpr y, ScalarExpr sum)
    {
        x = e.Convert(x, AccumulationType);
        y = e.Convert(y, AccumulationType);
        return AccumulationType.IsFloating()
            ? e.Call(ScalarOp.FusedMultiplyAdd, x, y, sum)
            : e.Add(e.Multiply(x, y), sum);
    }

    private static IndexVector Index(int rank, Func<int, ScalarExpr> entry) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(entry));

    private static void Place(long[] target, Axes axes, long[] values, int offset)
    {
        for (int i = 0; i < axes.Count; i++)
        {
            target[axes[i]] = values[offset + i];
        }
    }

    private static void RequireAxes(OpSite site, TensorType type, Axes batch, Axes contracting, string side) => site.Require(
        Axes.From([.. batch, .. contracting]).AreUniqueBelow(type.Rank), DiagnosticId.BadAxis,
        $"{side} batch {batch} and contracting {contracting} are not different dimensions of {type}");

    private static void RequirePairs(OpSite site, Axes left, Axes right, string kind)
    {
        site.Require(
            left.Count == right.Count, DiagnosticId.ContractionMismatch,
            $"{left.Count} {kind} dimensions of lhs, {right.Count} of rhs");
        for (int i = 0; i < left.Count; i++)
        {
            Dim x = site.Operand(0).Shape[left[i]];
            Dim y = site.Operand(1).Shape[right[i]];
            site.Require(
                site.CanBeEqual(x, y), DiagnosticId.ContractionMismatch,
                $"{kind} dimension {left[i]} of {site.Operand(0)} has size {x}, dimension {right[i]} of {site.Operand(1)} has {y}",
                fix: "transpose or reshape one operand so that the sizes agree");
        }
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        Node lhs = b.Convert(self.Operands[0], ResultType);
        Node rhs = b.Convert(self.Operands[1], ResultType);
        Axes lhsFree = LhsFree(lhs.Rank);
        Axes rhsFree = RhsFree(rhs.Rank);
        Axes batch = Axes.Range(LhsBatch.Count);
        Axes fromLhs = Axes.Range(LhsBatch.Count, lhsFree.Count);
        Axes fromRhs = Axes.Range(LhsBatch.Count + lhsFree.Count, rhsFree.Count);

        // d lhs = d * rhs over the free dimensions of rhs: [batch, free of lhs, contracted in the order of rhs].
        Node left = b.DotGeneral(cotangent, rhs, batch, RhsBatch, fromRhs, rhsFree);
        IEnumerable<int> contractedOfLhs = RhsContracting.Order().Select(axis => LhsContracting[RhsContracting.IndexOf(axis)]);
        left = b.Transpose(left, Axes.From([.. LhsBatch, .. lhsFree, .. contractedOfLhs]).Inverse());

        // d rhs = lhs * d over the free dimensions of lhs: [batch, contracted in the order of lhs, free of rhs].
        Node right = b.DotGeneral(lhs, cotangent, LhsBatch, batch, lhsFree, fromLhs);
        IEnumerable<int> contractedOfRhs = LhsContracting.Order().Select(axis => RhsContracting[LhsContracting.IndexOf(axis)]);
        right = b.Transpose(right, Axes.From([.. RhsBatch, .. contractedOfRhs, .. rhsFree]).Inverse());
        return [b.Convert(left, self.Operands[0].DType), b.Convert(right, self.Operands[1].DType)];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents)
    {
        Node? left = tangents[0] is { } x ? b.Add(this, x, self.Operands[1]) : null;
        Node? right = tangents[1] is { } y ? b.Add(this, self.Operands[0], y) : null;
        return b.SumOrNull(left, right);
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        (Node lhs, Node rhs) = (site.Operand(0), site.Operand(1));
        if (site.IsMapped(0) && site.IsMapped(1))
        {
            return [b.DotGeneral(
                lhs, rhs, LhsBatch.WithFirst(), RhsBatch.WithFirst(), LhsContracting.Behind(), RhsContracting.Behind(), ResultType)];
        }

        // The new dimension is a free one of its operand, and the first of those in the result.
        Node product = site.IsMapped(0)
            ? b.DotGeneral(lhs, rhs, LhsBatch.Behind(), RhsBatch, LhsContracting.Behind(), RhsContracting, ResultType)
            : b.DotGeneral(lhs, rhs, LhsBatch, RhsBatch.Behind(), LhsContracting, RhsContracting.Behind(), ResultType);
        return [b.ToFront(product, LhsBatch.Count + (site.IsMapped(0) ? 0 : LhsFree(lhs.Rank).Count))];
    }
}

/// <summary>Builds contractions.</summary>
public static class DotGeneralBuilder
{
    /// <summary>Contracts and batches two tensors; see <see cref="DotGeneralOp"/>.</summary>
    public static Node DotGeneral(
        this GraphBuilder b, Node lhs, Node rhs, Axes lhsBatch, Axes rhsBatch, Axes lhsContracting, Axes rhsContracting,
        DType? resultType = null) =>
        b.Add(new DotGeneralOp(lhsBatch, rhsBatch, lhsContracting, rhsContracting, resultType ?? lhs.DType), lhs, rhs);

    /// <summary>Matrix product: contracts the last dimension of <paramref name="lhs"/> with the first of <paramref name="rhs"/>.</summary>
    public static Node Dot(this GraphBuilder b, Node lhs, Node rhs) =>
        b.DotGeneral(lhs, rhs, [], [], [lhs.Rank - 1], [0]);
}
