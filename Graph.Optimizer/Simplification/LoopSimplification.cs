using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Takes out of loops what need not be in them.</summary>
/// <remarks>
/// <code>
/// while whose condition is false at once       => its initial values
/// carried and never changed, constant          => the constant inside of the body
/// carried and needed by nobody                 => gone
/// y = f(w) in the body, w carried unchanged    => y computed once before, and carried unchanged
/// </code>
/// Exact; what is moved before a loop has no effects and cannot fail, so it may run although the loop runs zero rounds.
/// </remarks>
public sealed class LoopSimplification() : GraphPass("loop-simplification")
{
    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context) => ComputationRewriter.Rewrite(module, (computation, _) =>
    {
        // What one round takes out of a loop may have been all that needed something else.
        for (int i = 0; i < context.Options.MaxSweeps && computation.PostOrder().Any(n => n.Op is WhileOp); i++)
        {
            Computation next = Simplify(computation, module.Provenance, context);
            if (ReferenceEquals(next, computation))
            {
                break;
            }
            computation = next;
        }
        return computation;
    });

    private static Computation Simplify(Computation computation, ProvenanceTable provenance, PassContext context)
    {
        HashSet<(Node, int)> used = UsedResults(computation);
        return ResultReplacement.Rebuild(computation, provenance, (b, old, operands) =>
        {
            if (old.Op is not WhileOp loop)
            {
                return null;
            }
            if (!loop.HasSideEffects && NeverRuns(loop, operands) && old.Types.SequenceEqual(operands.Select(o => o.Type)) &&
                context.TryTakeRewrite(() => $"{old} runs zero rounds"))
            {
                return new ResultReplacement(null, operands);
            }
            bool[] needed = [.. Enumerable.Range(0, operands.Length).Select(i => used.Contains((old, i)))];
            LoopParts parts = LoopParts.Of(loop, operands, needed);
            return parts.HasSomethingToMove && context.TryTakeRewrite(() => $"{old} carries less: {parts}")
                ? parts.Rebuild(b)
                : null;
        });
    }

    private static HashSet<(Node, int)> UsedResults(Computation computation)
    {
        var used = new HashSet<(Node, int)>();
        IEnumerable<Node> uses = computation.PostOrder().Where(n => n.Op is not GetTupleElementOp)
            .SelectMany(n => n.Operands).Concat(computation.Results);
        foreach (Node use in uses.Concat(computation.PostOrder().Where(n => n.Op is GetTupleElementOp)))
        {
            used.Add(use.Op is GetTupleElementOp g ? (use.Operands[0], g.Index) : (use, 0));
        }
        return used;
    }

    // The condition depends on constants only and is false.
    private static bool NeverRuns(WhileOp loop, ImmutableArray<Node> initial)
    {
        IReadOnlyList<Node> nodes = Traversal.PostOrder(loop.Condition.Results);
        bool isConstant = nodes.All(n => n.Op is ParameterOp p
            ? Splats.ValueOf(initial[p.Number]) is not null && n.Rank == 0
            : n.Op.Computations.IsEmpty && n.Types.All(t => t.Shape.IsStatic && t.Shape.ElementCount.Value <= 64) &&
                n.Op is not (CustomCallOp or DimValueOp));
        if (!isConstant || !loop.Condition.Effects.IsEmpty || nodes.Count > 64)
        {
            return false;
        }
        Literal[] arguments = [.. initial.Select((n, i) => Splats.ValueOf(n) is { } value && n.Rank == 0
            ? Literal.FromScalar(value)
            : Literal.FromScalar(Scalar.Zero(n.DType)))];
        return !Evaluator.Evaluate(loop.Condition, arguments)[0][0].AsBool;
    }
}
