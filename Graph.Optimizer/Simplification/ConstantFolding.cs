namespace Graphene.Optimizer;

/// <summary>
/// Computes at compile time what depends on constants only, through the reference evaluator, within
/// byte and time budgets.
/// </summary>
/// <remarks>
/// Splats are folded as scalars and stay splats: nothing is ever expanded into memory. Data movement and arithmetic on large
/// constants (weights) run on a fast path with the same bits. Control flow is never run: it might not end.
/// </remarks>
public sealed class ConstantFolding() : RewritePass("constant-folding")
{
    // What the reference evaluator takes for an element or a step of a reduction; measured in Release on one slow core.
    private const double EvaluatorNanosecondsPerStep = 400;
    private const double FastNanosecondsPerByte = 1;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (!IsFoldable(node))
        {
            return null;
        }
        return FoldSplats(b, node) ?? FoldConstants(b, node);
    }

    private static bool IsFoldable(Node node) =>
        node.Operands.Length > 0 && node.Types.Length == 1 && node.Shape.IsStatic && !node.Op.HasSideEffects &&
        node.Op is not (BroadcastInDimOp or CustomCallOp or FusionOp or OptimizationBarrierOp or GetTupleElementOp) &&
        !ControlFlow.IsExecuted(node.Op) &&
        node.Op.Computations.All(body => body.PostOrder().All(n => n.Op.Computations.IsEmpty));

    // f(splat, splat) => splat
    private static Node? FoldSplats(GraphBuilder b, Node node)
    {
        if (!node.Op.IsElementwise || node.Rank == 0 || !node.Operands.All(o => Splats.ValueOf(o) is not null) ||
            node.Operands.Any(o => o.Rank != 0 && !o.Shape.Equals(node.Shape)))
        {
            return null;
        }
        Literal[] scalars = [.. node.Operands.Select(o => Literal.FromScalar(Splats.ValueOf(o)!.Value))];
        Literal result = node.Op.EvaluateAll(scalars, [TensorType.Scalar(node.DType)])[0];
        return Splats.Make(b, result[0], node.Shape);
    }

    private Node? FoldConstants(GraphBuilder b, Node node)
    {
        bool isFast = FastEvaluation.Handles(node);
        bool addsMemory = node.Operands.All(o => o.Op is not ConstantOp); // a sum of broadcasts stays one
        if (isFast ? addsMemory : !node.Operands.All(o => o.Op is ConstantOp || IsSmallSplat(o)))
        {
            return null;
        }
        long freed = node.Operands.Where(o => o.Op is ConstantOp && UseCount(o) == 1).Sum(o => o.Type.SizeInBytes.Value);
        double nanoseconds = isFast
            ? FastNanosecondsPerByte * (node.Op is ReduceOp ? node.Operands[0].Type : node.Type).SizeInBytes.Value
            : EvaluatorNanosecondsPerStep * EvaluationSteps.Of(node);
        TimeSpan estimate = TimeSpan.FromMilliseconds(nanoseconds / 1e6);
        if (!Context.TryTakeFolding(node.Type.SizeInBytes.Value - freed, estimate))
        {
            Context.Explain(() => $"{node} was not folded: it takes about {estimate.TotalMilliseconds:F0} ms or too much memory");
            return null;
        }
        return b.Constant(isFast
            ? FastEvaluation.Evaluate(node)
            : node.Op.EvaluateAll([.. node.Operands.Select(LiteralOf)], node.Types)[0]);
    }

    // A broadcast scalar that is small enough to be written out as an operand of what is folded.
    private static bool IsSmallSplat(Node node) =>
        Splats.ValueOf(node) is not null && node.Shape.ElementCount is { IsStatic: true, Value: <= 1 << 16 };

    private static Literal LiteralOf(Node node) => node.Op is ConstantOp constant
        ? constant.Value
        : Literal.Splat(node.Type, Splats.ValueOf(node)!.Value);
}
