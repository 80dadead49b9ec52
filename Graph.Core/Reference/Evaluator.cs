namespace Graphene;

/// <summary>Runs a computation node by node with each op's own reference evaluation. Slow, plain, and the oracle of every test.</summary>
/// <remarks>Symbolic dims must have been replaced by numbers.</remarks>
public static class Evaluator
{
    /// <summary>The results for given arguments.</summary>
    /// <param name="computation">What to run; all types static.</param>
    /// <param name="arguments">One value per parameter.</param>
    /// <param name="cancellation">Looked at before each node.</param>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public static Literal[] Evaluate(
        Computation computation, IReadOnlyList<Literal> arguments, CancellationToken cancellation = default)
    {
        var values = new Dictionary<Node, Literal[]>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            cancellation.ThrowIfCancellationRequested();
            values.Add(node, node.Op switch
            {
                ParameterOp p => [arguments[p.Number]],
                GetTupleElementOp g => [values[node.Operands[0]][g.Index]],
                _ => node.Op.EvaluateAll([.. node.Operands.Select(o => values[o][0])], node.Types),
            });
        }
        return [.. computation.Results.Select(r => values[r][0])];
    }

    /// <summary>Applies a computation over scalars.</summary>
    public static Scalar[] ApplyScalars(Computation body, params Scalar[] arguments) =>
        Array.ConvertAll(Evaluate(body, Array.ConvertAll(arguments, Literal.FromScalar)), r => r[0]);
}
