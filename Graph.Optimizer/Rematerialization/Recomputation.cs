using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>A value that waits for late readers, and would be computed again for them instead.</summary>
/// <remarks>
/// <code>
/// v = fusion(x)                     v = fusion(x)
/// early(v)                          early(v)                               v's memory is free from here
/// ... peak ...                 =>   ... peak ...
/// p = ...                           p = ...
/// late(v)                           v' = fusion(barrier(x, p)), late(v')   the barrier makes v' wait for p
/// </code>
/// Kernels give the same bits each time, so results do not change.
/// </remarks>
/// <param name="Value">The value.</param>
/// <param name="Late">Its readers behind the peak, in order.</param>
/// <param name="After">What the new computation waits for: the step before the first late reader.</param>
/// <param name="Freed">Bytes that are free at the peak, less those that operands take there because they are needed longer.</param>
/// <param name="Cost">What computing it again takes, in bytes moved and operations.</param>
internal sealed record Recomputation(
    (Node Node, int Result) Value, ImmutableArray<Node> Late, Node After, long Freed, long Cost)
{
    // A product does so many operations in the time in which a byte comes from memory.
    private const long OperationsPerByte = 8;

    /// <summary>What could be computed again to lower the peak, the best first.</summary>
    /// <param name="uses">A computation that was fused.</param>
    /// <param name="peak">The place in the schedule at which the most memory is in use.</param>
    public static IEnumerable<Recomputation> Candidates(ValueUses uses, int peak)
    {
        var found = new List<Recomputation>();
        foreach (Node node in uses.Schedule)
        {
            for (int result = 0; result < node.Types.Length && node.Op is FusionOp { Kind: not FusionKind.Batch }; result++)
            {
                if (uses.PlaceOf(node) < peak && TryMake(uses, (node, result), peak) is { Freed: > 0 } candidate)
                {
                    found.Add(candidate);
                }
            }
        }
        return found.OrderByDescending(c => (double)c.Freed / c.Cost);
    }

    /// <summary>The computation with the value computed twice.</summary>
    public Computation Apply(ValueUses uses, ProvenanceTable provenance)
    {
        var b = new GraphBuilder(provenance);
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var late = new HashSet<Node>(Late, ReferenceEqualityComparer.Instance);
        Node? again = null;
        foreach (Node parameter in uses.Computation.Parameters)
        {
            Define(parameter, b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type));
        }
        foreach (Node node in uses.Schedule)
        {
            if (map.ContainsKey(node))
            {
                continue;
            }
            if (late.Contains(node))
            {
                again ??= Again();
            }
            Define(node, b.AddLike(node, [.. node.Operands.Select(o => late.Contains(node) ? Replaced(o) : map[o])]));
        }
        return b.Build(
            uses.Computation.Name, uses.Computation.Results.Select(r => map[r]), uses.Computation.Effects.Select(e => map[e]));

        void Define(Node node, Node value)
        {
            b.Provenance.Inherit(value, node);
            map.Add(node, value);
        }

        Node Again()
        {
            (Computation body, ImmutableArray<Node> operands) = Alone();
            Node after = map[After];
            Node[] behind = b.OptimizationBarrier([.. operands.Select(o => map[o]), .. b.Results(after).Take(1)]);
            var op = (FusionOp)Value.Node.Op;
            FusionKind kind = HasHero(op) && !HasHero(op with { Body = body }) ? FusionKind.Loop : op.Kind;
            Node made = b.Add(new FusionOp(kind, body), [.. behind.Take(operands.Length)]);
            b.Provenance.Inherit(made, Value.Node);
            return made;
        }

        // The operand with the new value in the place of the old one, under the same names.
        Node Replaced(Node operand)
        {
            if (MemoryNames.Resolve(operand) != Value)
            {
                return map[operand];
            }
            return operand.Op is ReshapeOp ? b.Reshape(Replaced(operand.Operands[0]), operand.Shape) : again!;
        }
    }

    // The fusion with this one of its results.
    private (Computation Body, ImmutableArray<Node> Operands) Alone()
    {
        Computation whole = ((FusionOp)Value.Node.Op).Body;
        var b = new GraphBuilder();
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var operands = ImmutableArray.CreateBuilder<Node>();
        foreach (Node node in Traversal.PostOrder([whole.Results[Value.Result]]))
        {
            if (node.Op is ParameterOp parameter)
            {
                map.Add(node, b.Parameter(operands.Count, node.Type));
                operands.Add(Value.Node.Operands[parameter.Number]);
                continue;
            }
            map.Add(node, b.AddLike(node, [.. node.Operands.Select(o => map[o])]));
        }
        return (b.Build(whole.Name, [map[whole.Results[Value.Result]]]), operands.ToImmutable());
    }

    private static bool HasHero(FusionOp op) => op.Body.PostOrder().Any(n => n.Op is DotGeneralOp or ConvolutionOp);

    private static Recomputation? TryMake(ValueUses uses, (Node Node, int Result) value, int peak)
    {
        IReadOnlyList<Node> readers = uses.ReadersOf(value);
        ImmutableArray<Node> late = [.. readers.Where(r => uses.PlaceOf(r) > peak)];
        bool readAtPeak = readers.Any(r => uses.PlaceOf(r) == peak);
        if (late.IsEmpty || readAtPeak || uses.Kept.Contains(value) || StepBefore(uses, late[0], value.Node) is not { } after)
        {
            return null;
        }
        var candidate = new Recomputation(value, late, after, 0, 0);
        (Computation body, ImmutableArray<Node> operands) = candidate.Alone();
        long size = Bytes(value);
        long longer = operands.Select(MemoryNames.Resolve).Distinct()
            .Where(o => o.Node.Op is not (ParameterOp or ConstantOp) && uses.LastUse(o) < uses.PlaceOf(late[0])).Sum(Bytes);
        long moved = size + operands.Sum(o => ListScheduler.TypicalBytes(o.Type));
        long products = body.PostOrder().Where(n => n.Op is DotGeneralOp or ConvolutionOp).Sum(Operations);
        return candidate with { Freed = size - longer, Cost = moved + (products / OperationsPerByte) };
    }

    // Each element of the one operand meets those of the other that it shares no dimension with.
    private static long Operations(Node product)
    {
        double lhs = ListScheduler.TypicalBytes(product.Operands[0].Type);
        double rhs = ListScheduler.TypicalBytes(product.Operands[1].Type);
        double result = ListScheduler.TypicalBytes(product.Type);
        return (long)Math.Sqrt(lhs * rhs * result);
    }

    private static Node? StepBefore(ValueUses uses, Node late, Node value)
    {
        for (int i = uses.PlaceOf(late) - 1; i > uses.PlaceOf(value); i--)
        {
            Node node = uses.Schedule[i];
            if (!MemoryNames.IsName(node) && node.Op is not (ParameterOp or ConstantOp) && node.Types.Length > 0)
            {
                return node;
            }
        }
        return null;
    }

    private static long Bytes((Node Node, int Result) value) => ListScheduler.TypicalBytes(value.Node.Types[value.Result]);
}
