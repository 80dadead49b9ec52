using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Reads and writes the bodies of batches.</summary>
public static class BatchBody
{
    /// <summary>The fusions inside of a batch, in order.</summary>
    public static ImmutableArray<Node> Members(Computation body) => [.. body.PostOrder().Where(n => n.Op is FusionOp)];

    /// <summary>The fusion that a result of a batch comes from, and the number of the result there.</summary>
    public static (Node Member, int Result) SourceOf(Computation body, int result) => MemoryNames.Resolve(body.Results[result]);

    /// <summary>The body that puts fusions side by side.</summary>
    /// <param name="members">Independent fusions of one computation.</param>
    /// <param name="operands">Receives what the batch reads, in the order of the body's parameters.</param>
    internal static Computation Of(IReadOnlyList<Node> members, List<Node> operands)
    {
        var b = new GraphBuilder();
        var parameters = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node operand in members.SelectMany(m => m.Operands))
        {
            if (!parameters.ContainsKey(operand))
            {
                parameters.Add(operand, b.Parameter(operands.Count, operand.Type));
                operands.Add(operand);
            }
        }
        Node[] inside = [.. members.Select(m => b.AddLike(m, [.. m.Operands.Select(o => parameters[o])]))];
        return b.Build("batch", inside.SelectMany(b.Results));
    }
}
