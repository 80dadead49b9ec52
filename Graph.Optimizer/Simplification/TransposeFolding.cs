namespace Graphene.Optimizer;

/// <summary>Merges and cancels transposes, moves them past elementwise ops so that they meet, and absorbs them into dots.</summary>
/// <remarks>
/// Exact for every dtype. Reaches a fixed point: every rule removes a transpose or moves one towards the results.
/// </remarks>
public sealed class TransposeFolding() : RewritePass("transpose-folding")
{
    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node) => node switch
    {
        // transpose(x, identity) => x
        { Op: TransposeOp { Permutation.IsIdentity: true }, Operands: [var x] } => x,

        // transpose(transpose(x, p), q) => transpose(x, p then q)
        { Op: TransposeOp q, Operands: [{ Op: TransposeOp p, Operands: [var x] }] }
            => b.Transpose(x, p.Permutation.Permute(q.Permutation)),

        // transpose(reshape(transpose(x, p)), q) => reshape(transpose(x, p then q))   where the reshape only joins neighbouring dimensions
        { Op: TransposeOp q, Operands: [{ Op: ReshapeOp, Operands: [{ Op: TransposeOp p, Operands: [var x] } inner] } joined] }
            when JoinedDimensions.Of(inner.Shape, joined.Shape) is { } groups => b.Reshape(
                b.Transpose(x, p.Permutation.Permute(Axes.From(q.Permutation.SelectMany(axis => groups[axis])))), node.Shape),

        // transpose(broadcast x) => broadcast x, to other places
        { Op: TransposeOp q, Operands: [{ Op: BroadcastInDimOp broadcast, Operands: [var x] }] } => b.BroadcastInDim(
            x, node.Shape, Axes.From(broadcast.BroadcastDimensions.Select(q.Permutation.IndexOf))),

        // transpose(dot(x, y)) => dot(y, x), where the free dimensions of x and y change places
        { Op: TransposeOp q, Operands: [{ Op: DotGeneralOp } dot] } when UseCount(dot) == 1 => SwapOperands(b, q.Permutation, dot),

        // dot(transpose(x, p), y) => dot(x, y) with other dimension numbers
        { Op: DotGeneralOp dot } => FoldLeft(b, node, dot) ?? FoldRight(b, node, dot),

        // f(transpose(x, p), transpose(y, p), splat) => transpose(f(x, y, splat), p)
        { Op.IsElementwise: true } => MoveOutwards(b, node),

        _ => null,
    };

    private static Node? SwapOperands(GraphBuilder b, Axes permutation, Node dot)
    {
        var op = (DotGeneralOp)dot.Op;
        int batch = op.LhsBatch.Count;
        int left = op.LhsFree(dot.Operands[0].Rank).Count;
        int right = op.RhsFree(dot.Operands[1].Rank).Count;
        Axes swapped = [.. Enumerable.Range(0, batch), .. Enumerable.Range(batch + left, right), .. Enumerable.Range(batch, left)];
        // The same products in the same order, factors exchanged.
        return left > 0 && right > 0 && permutation.Equals(swapped)
            ? b.DotGeneral(
                dot.Operands[1], dot.Operands[0], op.RhsBatch, op.LhsBatch, op.RhsContracting, op.LhsContracting, op.ResultType)
            : null;
    }

    private static Node? FoldLeft(GraphBuilder b, Node node, DotGeneralOp op) =>
        node.Operands[0] is { Op: TransposeOp p, Operands: [var x] } && KeepsOrder(op.LhsFree(x.Rank), p.Permutation)
            ? b.Add(
                op with { LhsBatch = Through(op.LhsBatch, p), LhsContracting = Through(op.LhsContracting, p) }, x, node.Operands[1])
            : null;

    private static Node? FoldRight(GraphBuilder b, Node node, DotGeneralOp op) =>
        node.Operands[1] is { Op: TransposeOp p, Operands: [var y] } && KeepsOrder(op.RhsFree(y.Rank), p.Permutation)
            ? b.Add(
                op with { RhsBatch = Through(op.RhsBatch, p), RhsContracting = Through(op.RhsContracting, p) }, node.Operands[0], y)
            : null;

    // Free dimensions stand in the result in the order of the operand's dimensions: that order must stay.
    private static bool KeepsOrder(Axes free, Axes permutation)
    {
        IEnumerable<int> before = free.Select(axis => permutation[axis]);
        return before.SequenceEqual(before.Order());
    }

    private static Axes Through(Axes axes, TransposeOp transpose) => Axes.From(axes.Select(axis => transpose.Permutation[axis]));

    private static Node? MoveOutwards(GraphBuilder b, Node node)
    {
        if (node.Operands.FirstOrDefault(o => o.Op is TransposeOp) is not { } first)
        {
            return null;
        }
        var p = (TransposeOp)first.Op;
        Shape inner = first.Operands[0].Shape;
        var operands = new Node[node.Operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            Node operand = node.Operands[i];
            if (operand.Rank == 0)
            {
                operands[i] = operand;
            }
            else if (Splats.ValueOf(operand) is { } splat)
            {
                operands[i] = Splats.Make(b, splat, inner);
            }
            else if (operand.Op.Equals(p))
            {
                operands[i] = operand.Operands[0];
            }
            else
            {
                return null;
            }
        }
        return node.Rank == inner.Rank ? b.Transpose(b.Add(node.Op, operands), p.Permutation) : null;
    }
}
