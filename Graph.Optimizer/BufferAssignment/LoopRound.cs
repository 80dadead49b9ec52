using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>What a round of a loop costs, by estimate.</summary>
/// <param name="Work">Operations.</param>
/// <param name="BytesKept">What each round reads again: constants, and what the loop never changes.</param>
internal sealed record LoopRound(double Work, long BytesKept)
{
    /// <summary>Looks at a loop whose body was fused.</summary>
    public static LoopRound Of(WhileOp loop)
    {
        ImmutableArray<Node> next = loop.Body.Results;
        double work = 0;
        var kept = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in loop.Body.PostOrder())
        {
            work += WorkOf(node);
            for (int i = 0; i < node.Operands.Length; i++)
            {
                Node source = MemoryNames.Resolve(node.Operands[i]).Node;
                bool isKept = source.Op is ConstantOp ||
                    (source.Op is ParameterOp p && ReferenceEquals(next[p.Number], source));
                if (isKept && ReadsAll(node, i))
                {
                    kept.Add(source);
                }
            }
        }
        return new LoopRound(work, kept.Sum(n => ListScheduler.TypicalBytes(n.Type)));
    }

    // (m k) (k n) (m n) is the square of what a product multiplies.
    private static double WorkOf(Node node) => node.Op switch
    {
        ParameterOp or ConstantOp => 0,
        FusionOp fusion => fusion.Body.PostOrder().Sum(WorkOf),
        DotGeneralOp => 2 * Math.Sqrt(Elements(node) * Elements(node.Operands[0]) * Elements(node.Operands[1])),
        WhileOp loop => loop.Body.PostOrder().Sum(WorkOf),
        _ when MemoryNames.IsName(node) => 0,
        { IsElementwise: true, IsExpensive: true } => ElementwiseFn.ExpensiveFlops * Results(node),
        _ => Results(node),
    };

    private static double Results(Node node) =>
        node.Types.Sum(type => ListScheduler.TypicalBytes(type) / type.DType.SizeInBytes());

    private static double Elements(Node node) =>
        (double)ListScheduler.TypicalBytes(node.Type) / node.DType.SizeInBytes();

    // A step of a sequence, and rows of a table, are not all of it.
    private static bool ReadsAll(Node user, int operand)
    {
        if (user.Op is not FusionOp { Body: var body })
        {
            return user.Op is not (DynamicSliceOp or GatherOp or GetTupleElementOp or ReshapeOp);
        }
        Node parameter = body.Parameters[operand];
        return body.PostOrder().Any(
            n => n.Op is not (DynamicSliceOp or GatherOp) && n.Operands.Any(o => ReferenceEquals(o, parameter)));
    }
}
