using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Replaces conditionals whose branch is known, or whose branches are equal, by that branch.</summary>
/// <remarks><code>if(true, x) { f(x) } else { g(x) }  =>  f(x)</code>Exact. Conditionals with effects stay.</remarks>
public sealed class ConditionalSimplification() : GraphPass("conditional-simplification")
{
    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context) => ComputationRewriter.Rewrite(module, (computation, _) =>
        computation.PostOrder().Any(IsDecided)
            ? ResultReplacement.Rebuild(computation, module.Provenance, (b, old, operands) =>
                IsDecided(old) && context.TryTakeRewrite(() => $"{old} runs one branch only")
                    ? new ResultReplacement(null, Inline(b, old, [.. operands.Skip(1)]))
                    : null)
            : computation);

    private static bool IsDecided(Node node) =>
        node.Op is IfOp or CaseOp && !node.Op.HasSideEffects && ChosenBranch(node) is { } branch &&
        branch.ResultTypes.SequenceEqual(node.Types) &&
        branch.ParameterTypes.SequenceEqual(node.Operands.Skip(1).Select(o => o.Type));

    private static Computation? ChosenBranch(Node node)
    {
        var branches = node.Op.Computations;
        if (branches.All(b => b.Equals(branches[0])))
        {
            return branches[0];
        }
        return Splats.ValueOf(node.Operands[0]) switch
        {
            null => null,
            { DType: DType.Bool } predicate => branches[predicate.AsBool ? 0 : 1],
            { } number => branches[number.AsInteger >= 0 && number.AsInteger < branches.Length
                ? (int)number.AsInteger
                : branches.Length - 1],
        };
    }

    private static ImmutableArray<Node> Inline(GraphBuilder b, Node node, Node[] arguments) =>
        ComputationCloner.Inline(ChosenBranch(node)!, b, arguments).Results;
}
