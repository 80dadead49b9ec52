using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Rebuilds the computations of a module one by one, those inside before those that carry them.</summary>
public static class ComputationRewriter
{
    /// <summary>Replaces computations.</summary>
    /// <param name="module">The module.</param>
    /// <param name="rewrite">
    /// Gives the replacement of a computation whose own nested computations were replaced already, or the same object. The
    /// second argument is the op that carries it; null for the entry.
    /// </param>
    /// <returns>The same module when nothing was replaced.</returns>
    public static Module Rewrite(Module module, Func<Computation, Op?, Computation> rewrite)
    {
        var done = new Dictionary<Computation, Computation>(ReferenceEqualityComparer.Instance);
        foreach ((Computation computation, Op? owner) in InnermostFirst(module.Entry))
        {
            Computation current = ReplaceNested(computation, done, module.Provenance);
            done.Add(computation, rewrite(current, owner));
        }
        Computation entry = done[module.Entry];
        return ReferenceEquals(entry, module.Entry) ? module : module with { Entry = entry };
    }

    /// <summary>All computations that can be reached, each once, with one op that carries it; the entry is last.</summary>
    public static IReadOnlyList<(Computation Computation, Op? Owner)> InnermostFirst(Computation entry)
    {
        var order = new List<(Computation, Op?)>();
        var seen = new HashSet<Computation>(ReferenceEqualityComparer.Instance) { entry };
        var stack = new Stack<(Computation Computation, Op? Owner, bool Expanded)>();
        stack.Push((entry, null, false));
        while (stack.TryPop(out (Computation Computation, Op? Owner, bool Expanded) top))
        {
            if (top.Expanded)
            {
                order.Add((top.Computation, top.Owner));
                continue;
            }
            stack.Push((top.Computation, top.Owner, true));
            foreach (Node node in top.Computation.PostOrder())
            {
                foreach (Computation nested in node.Op.Computations)
                {
                    if (seen.Add(nested))
                    {
                        stack.Push((nested, node.Op, false));
                    }
                }
            }
        }
        return order;
    }

    /// <summary>Copies a computation into a builder.</summary>
    /// <param name="b">An empty builder.</param>
    /// <param name="computation">What to copy.</param>
    /// <param name="replace">
    /// Gives the new node for an old one whose operands were copied already: usually <c>b.Add(node.Op, operands)</c>.
    /// </param>
    public static Computation Rebuild(
        GraphBuilder b, Computation computation, Func<Node, ImmutableArray<Node>, Node> replace)
    {
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node parameter in computation.Parameters)
        {
            map.Add(parameter, b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type));
            b.Provenance.Inherit(map[parameter], parameter);
        }
        foreach (Node node in computation.PostOrder())
        {
            if (node.Op is ParameterOp)
            {
                continue;
            }
            var operands = ImmutableArray.CreateBuilder<Node>(node.Operands.Length);
            foreach (Node operand in node.Operands)
            {
                operands.Add(map[operand]);
            }
            Node made = replace(node, operands.MoveToImmutable());
            b.Provenance.Inherit(made, node);
            map.Add(node, made);
        }
        return b.Build(computation.Name, computation.Results.Select(r => map[r]), computation.Effects.Select(e => map[e]));
    }

    private static Computation ReplaceNested(
        Computation computation, Dictionary<Computation, Computation> done, ProvenanceTable provenance)
    {
        bool any = computation.PostOrder().Any(
            node => node.Op.Computations.Any(c => done.TryGetValue(c, out Computation? to) && !ReferenceEquals(c, to)));
        if (!any)
        {
            return computation;
        }
        var b = new GraphBuilder(provenance);
        return Rebuild(b, computation, (node, operands) => b.Add(
            node.Op.Computations.IsEmpty
                ? node.Op
                : node.Op.WithComputations([.. node.Op.Computations.Select(c => done.GetValueOrDefault(c, c))]),
            operands));
    }
}
