using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Schedules a module and decides in which memory each of its values lies.</summary>
/// <remarks>
/// In four steps: lay out all steps in one sequence (<see cref="PlanDrafter"/>), let values share memory
/// (<see cref="SlotSharing"/>), add the copies that remain and keep loops side by side apart, number the
/// buffers. Knows ops only by what they say about themselves, apart from control flow.
/// </remarks>
public static class BufferAssigner
{
    /// <summary>Plans a module, usually one whose computations were fused.</summary>
    /// <param name="module">What to plan.</param>
    /// <param name="options">Donations and workspaces.</param>
    public static MemoryPlan Assign(Module module, MemoryPlanOptions? options = null)
    {
        options ??= MemoryPlanOptions.Default;
        var drafter = new PlanDrafter(options);
        PlanDraft entry = drafter.Entry(module.Entry);
        new SlotSharing(drafter, options.Donations, options.SharesParts).Apply(entry);
        AddCopies(drafter, entry, options.Donations);
        KeepApart(drafter);
        return new Numbering(drafter, module, entry).ToPlan();
    }

    private static void AddCopies(PlanDrafter drafter, PlanDraft entry, ImmutableDictionary<int, int> donations)
    {
        foreach (DraftWhile loop in drafter.Loops)
        {
            AddMoves(drafter, loop.Body, loop.EndOfRound, loop.Body.Results.Zip(loop.Carried));
            loop.Body.Results.Clear();
            loop.Body.Results.AddRange(loop.Carried);
        }
        foreach (DraftBranch branch in drafter.Conditionals)
        {
            foreach (PlanDraft draft in branch.Branches)
            {
                draft.Results.Clear();
                draft.Results.AddRange(branch.Results);
            }
        }
        int end = drafter.StepCount - 1;
        var targets = new List<Value>();
        for (int i = 0; i < entry.Results.Count; i++)
        {
            targets.Add(ResultTarget(drafter, entry, i, end, donations));
        }
        AddMoves(drafter, entry, end, entry.Results.Zip(targets));
        entry.Results.Clear();
        entry.Results.AddRange(targets);
    }

    // What lives during one of several loops side by side lives during all of them. Said last: within each loop values
    // have taken turns.
    private static void KeepApart(PlanDrafter drafter)
    {
        foreach (LiveInterval loops in drafter.SideBySide)
        {
            foreach (Slot slot in drafter.Values.Select(v => v.Slot.Root).Distinct().Where(s => s.Live.Overlaps(loops)))
            {
                slot.Extend(loops.First);
                slot.Extend(loops.Last);
            }
        }
    }

    private static Value ResultTarget(
        PlanDrafter drafter, PlanDraft entry, int result, int end, ImmutableDictionary<int, int> donations)
    {
        if (donations.TryGetValue(result, out int parameter))
        {
            return entry.Values[(entry.Computation.Parameters[parameter], 0)];
        }
        Value value = entry.Results[result];
        Slot slot = value.Slot.Root;
        if (slot.Kind == BufferKind.Result && slot.Number == result)
        {
            return value;
        }
        Value target = drafter.NewValue(value.Type, end);
        target.Slot.Pin(BufferKind.Result, result, isWritable: true);
        return target;
    }

    private static void AddMoves(PlanDrafter drafter, PlanDraft draft, int step, IEnumerable<(Value From, Value To)> moves)
    {
        foreach ((Value from, Value to) in ParallelMoves.Sequence(moves, value => drafter.NewValue(value.Type, step)))
        {
            draft.Steps.Add(new DraftCopy(step, from, to));
        }
    }

    // Gives each slot its place in the pointer table, and turns drafts into plans.
    private sealed class Numbering(PlanDrafter drafter, Module module, PlanDraft entry)
    {
        private readonly ImmutableArray<PlannedBuffer>.Builder _buffers = ImmutableArray.CreateBuilder<PlannedBuffer>();

        public MemoryPlan ToPlan()
        {
            List<Slot> slots = [.. drafter.Values.Select(v => v.Slot.Root).Distinct()];
            foreach (BufferKind kind in new[] { BufferKind.Parameter, BufferKind.Result, BufferKind.Constant })
            {
                foreach (Slot slot in slots.Where(s => s.Kind == kind).OrderBy(s => s.Number))
                {
                    Add(slot, kind);
                }
            }
            foreach (Slot slot in slots.Where(s => s.Kind is null && !s.IsPart).OrderBy(s => s.Live.First))
            {
                Add(slot, BufferKind.Temporary);
            }
            foreach (Slot slot in slots.Where(s => s.IsPart).OrderBy(s => s.Live.First))
            {
                slot.Index = _buffers.Count;
                _buffers.Add(new PlannedBuffer(slot.Index, BufferKind.Part, slot.Home.Index, slot.SizeInBytes, slot.Live)
                {
                    OffsetInBytes = slot.OffsetInHome, Box = slot.Box,
                });
            }
            ComputationPlan plan = Convert(entry, entry.Computation.Parameters.Select(p => entry.Values[(p, 0)]));
            return new MemoryPlan(_buffers.ToImmutable(), plan, [.. module.Symbols], drafter.StepCount);
        }

        private void Add(Slot slot, BufferKind kind)
        {
            slot.Index = _buffers.Count;
            _buffers.Add(new PlannedBuffer(slot.Index, kind, slot.Number, slot.SizeInBytes, slot.Live, slot.Constant));
        }

        private static int IndexOf(Value value) => value.Slot.Root.Index;

        private static ImmutableArray<int> IndicesOf(IEnumerable<Value> values) => [.. values.Select(IndexOf)];

        private static ComputationPlan Convert(PlanDraft draft, IEnumerable<Value> parameters)
        {
            var steps = ImmutableArray.CreateBuilder<PlanStep>();
            foreach (DraftStep step in draft.Steps)
            {
                if (step is not DraftCopy copy)
                {
                    steps.Add(Convert(step));
                }
                else if (IndexOf(copy.From) != IndexOf(copy.To))
                {
                    steps.Add(new CopyStep(copy.Number, IndexOf(copy.From), IndexOf(copy.To), copy.To.Type));
                }
            }
            return new ComputationPlan(
                draft.Computation, steps.ToImmutable(), IndicesOf(parameters), IndicesOf(draft.Results),
                draft.Values.ToDictionary(v => v.Key, v => IndexOf(v.Value)));
        }

        private static PlanStep Convert(DraftStep step) => step switch
        {
            DraftRun run => new RunStep(
                run.Number, run.Node, IndicesOf(run.Operands), IndicesOf(run.Results), IndicesOf(run.Workspaces))
            {
                PartsInPlace = run.PartsInPlace,
            },
            DraftParts parts => new PartsStep(parts.Number, parts.Node, IndicesOf(parts.Operands), IndicesOf(parts.Results)),
            DraftWhile loop => new WhileStep(
                loop.Number, loop.Node, IndicesOf(loop.Carried),
                Convert(loop.Condition, loop.Carried), Convert(loop.Body, loop.Carried)) { Beside = loop.Beside },
            DraftBranch branch => new BranchStep(
                branch.Number, branch.Node, IndexOf(branch.Selector), IndicesOf(branch.Results),
                [.. branch.Branches.Select(b => Convert(b, ParametersOf(b)))]),
            _ => throw new InvalidOperationException($"unknown step {step}"),
        };

        private static IEnumerable<Value> ParametersOf(PlanDraft draft) =>
            draft.Computation.Parameters.Select(p => draft.Values[(p, 0)]);
    }
}
