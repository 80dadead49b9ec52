using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Puts small fusions that do not wait for each other side by side, into fusions of kind batch.</summary>
/// <remarks>
/// <code>
/// w1' = fusion(w1, g1), w2' = fusion(w2, g2), ...  =>  w1', w2', ... = fusion(w1, g1, w2, g2, ...), kind=batch
/// </code>
/// A batch is one call, and its tasks, numbered one behind another, are shared between threads once: a hundred updates of small
/// parameters cost what their memory traffic costs. The members keep their loops, so results keep their bits. The memory of a run
/// is planned with and without batches; when they need more, they are made smaller, and given up when that does not help.
/// </remarks>
public sealed class BatchFusion() : GraphPass("batch-fusion")
{
    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context)
    {
        (Module batched, long held) = Rewrite(module, long.MaxValue, _ => true);
        if (ReferenceEquals(batched, module))
        {
            return module;
        }
        long mostBytesHeld = long.MaxValue;
        if (held > BatchCostModel.SpareBytes(0) || context.Options.ArenaBudgetInBytes is not null)
        {
            long before = ArenaBytes(module);
            long budget = Math.Max(before, context.Options.ArenaBudgetInBytes ?? long.MaxValue);
            long allowed = Math.Min(before + BatchCostModel.SpareBytes(before), budget);
            if (ArenaBytes(batched) > allowed)
            {
                mostBytesHeld = BatchCostModel.SpareBytes(before);
                if (ArenaBytes(Rewrite(module, mostBytesHeld, _ => true).Module) > allowed)
                {
                    context.Explain(() => $"no batches: the arena would grow from {before} bytes to more than {allowed}");
                    return module;
                }
            }
        }
        return Rewrite(module, mostBytesHeld, context.TryTakeRewrite).Module;
    }

    private static (Module Module, long BytesHeld) Rewrite(Module module, long mostBytesHeld, Func<Func<string>, bool> mayBatch)
    {
        long held = 0;
        Module rewritten = ComputationRewriter.Rewrite(module, (computation, owner) =>
        {
            if (!ControlFlow.IsExecuted(owner))
            {
                return computation;
            }
            BatchPlanner planner = BatchPlanner.Plan(computation, mostBytesHeld);
            held += planner.BytesHeld;
            IReadOnlyList<Node>[] batches = [.. planner.Batches.Where(b => mayBatch(() => $"batch {b.Count} fusions, the first {b[0]}"))];
            return batches.Length == 0 ? computation : Emit(computation, planner.Heights, batches, module.Provenance);
        });
        return (rewritten, held);
    }

    // From the largest height down, what a batch reads is there before its first member's turn comes.
    private static Computation Emit(
        Computation computation, Dictionary<Node, int> heights, IReadOnlyList<Node>[] batches, ProvenanceTable provenance)
    {
        var b = new GraphBuilder(provenance);
        var values = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var batchOf = new Dictionary<Node, IReadOnlyList<Node>>(ReferenceEqualityComparer.Instance);
        foreach (IReadOnlyList<Node> batch in batches)
        {
            foreach (Node member in batch)
            {
                batchOf.Add(member, batch);
            }
        }
        var parts = new Dictionary<Node, (Node Batch, int First)>(ReferenceEqualityComparer.Instance);
        foreach (Node parameter in computation.Parameters)
        {
            Define(parameter, b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type));
        }
        foreach (Node node in computation.PostOrder().OrderByDescending(n => heights[n]))
        {
            if (batchOf.TryGetValue(node, out IReadOnlyList<Node>? batch) && !parts.ContainsKey(node))
            {
                EmitBatch(batch);
            }
            if (!values.ContainsKey(node) && !parts.ContainsKey(node))
            {
                Define(node, Part(node) ?? b.AddLike(node, [.. node.Operands.Select(o => values[o])]));
            }
        }
        return b.Build(computation.Name, computation.Results.Select(r => values[r]), computation.Effects.Select(e => values[e]));

        void EmitBatch(IReadOnlyList<Node> members)
        {
            var operands = new List<Node>();
            Computation body = BatchBody.Of(members, operands);
            Node fusion = b.Add(new FusionOp(FusionKind.Batch, body), operands.Select(o => values[o]).ToImmutableArray());
            int result = 0;
            foreach (Node member in members)
            {
                provenance.Inherit(fusion, member);
                parts.Add(member, (fusion, result));
                if (member.Types.Length == 1)
                {
                    Define(member, b.GetTupleElement(fusion, result));
                }
                result += member.Types.Length;
            }
        }

        // A result of a member that has several is a result of the batch.
        Node? Part(Node node) =>
            node.Op is GetTupleElementOp element && parts.TryGetValue(node.Operands[0], out (Node Batch, int First) part)
                ? b.GetTupleElement(part.Batch, part.First + element.Index)
                : null;

        void Define(Node node, Node value)
        {
            provenance.Inherit(value, node);
            values.Add(node, value);
        }
    }

    // What a plan would take; as if nothing could be known when sizes do not fit 64 bits.
    private static long ArenaBytes(Module module)
    {
        try
        {
            return BufferAssigner.Assign(module).Pack(ListScheduler.TypicalValue).SizeInBytes;
        }
        catch (OverflowException)
        {
            return long.MaxValue / 2;
        }
    }
}
