namespace Graphene.Optimizer;

/// <summary>Lets values share memory, so that copies vanish and kernels work in place.</summary>
/// <remarks>
/// <code>
/// loop:    carried c -> kernel -> next        next is written over c when c is not read later in the round: no copy per round
/// init:    v, then loop carries c from v      c takes v's memory when v is not needed any more: no copy before the loop
/// branch:  value r is the branch's result     r is written to where the conditional's result lies
/// part:    c = concatenate(a, b)              a and b are written where c has them
/// kernel:  y = f(x), x not needed any more    y is written over x, element by element
/// </code>
/// Each step only joins slots whose values are never needed at the same time, so the order of the steps affects how many copies
/// remain, never what is computed.
/// </remarks>
internal sealed class SlotSharing(PlanDrafter drafter, IReadOnlyDictionary<int, int> donations, bool sharesParts)
{
    private readonly Dictionary<int, DraftRun> _runs = drafter.Runs.ToDictionary(r => r.Number);

    public void Apply(PlanDraft entry)
    {
        int end = drafter.StepCount - 1;
        PinResults(entry);
        foreach ((int result, int parameter) in donations.OrderBy(d => d.Key))
        {
            TryHandOn(entry, entry.Results[result], entry.Values[(entry.Computation.Parameters[parameter], 0)], end);
        }
        foreach (DraftWhile loop in drafter.Loops)
        {
            for (int i = 0; i < loop.Carried.Length; i++)
            {
                if (!ReferenceEquals(loop.Body.Results[i], loop.Carried[i]))
                {
                    TryHandOn(loop.Body, loop.Body.Results[i], loop.Carried[i], loop.EndOfRound);
                }
            }
        }
        foreach (DraftCopy copy in drafter.Drafts.SelectMany(d => d.Steps).OfType<DraftCopy>())
        {
            TryStartIn(copy);
        }
        foreach (DraftBranch branch in drafter.Conditionals)
        {
            foreach (PlanDraft draft in branch.Branches)
            {
                ShareBranchResults(branch, draft);
            }
        }
        if (sharesParts)
        {
            new PartSharing(drafter).Apply();
        }
        foreach (DraftRun run in drafter.Runs)
        {
            if (!InPlaceAccess.UpdatesOperands(run.Node.Op))
            {
                RunInPlace(run);
            }
        }
    }

    // A result is computed where the caller wants it; a value that is two results is copied to the second.
    private void PinResults(PlanDraft entry)
    {
        for (int i = 0; i < entry.Results.Count; i++)
        {
            Slot slot = entry.Results[i].Slot.Root;
            if (slot.Kind is null && !donations.ContainsKey(i))
            {
                slot.Pin(BufferKind.Result, i, isWritable: true);
            }
        }
    }

    // Writes the value that takes another's place at the end of a round (or run) over it at once.
    private void TryHandOn(PlanDraft draft, Value next, Value current, int end)
    {
        Slot from = next.Slot.Root;
        Slot to = current.Slot.Root;
        bool fits = !ReferenceEquals(from, to) && from.Kind is null && to.IsWritable && from.SizeInBytes == to.SizeInBytes &&
            from.Live.Last <= end;
        if (!fits || from.Live.First < current.LastUseInRound)
        {
            return;
        }
        if (from.Live.First > current.LastUseInRound || WritesInPlace(draft, from, current))
        {
            Slot.Merge(to, from);
        }
    }

    // True when the step that first writes the slot may overwrite the value that it reads last.
    private bool WritesInPlace(PlanDraft draft, Slot slot, Value current)
    {
        int step = slot.Live.First;
        if (_runs.TryGetValue(step, out DraftRun? run))
        {
            return Enumerable.Range(0, run.Results.Length).Any(
                i => ReferenceEquals(run.Results[i].Slot.Root, slot) && MayOverwrite(run, current.Slot.Root, i));
        }
        DraftCopy[] copies = [.. draft.Steps.OfType<DraftCopy>().Where(c => c.Number == step)];
        return copies.Any(c => ReferenceEquals(c.From, current) && ReferenceEquals(c.To.Slot.Root, slot));
    }

    // Lets a value start in the memory of the one it is copied from, when that is not needed any more.
    private static void TryStartIn(DraftCopy copy)
    {
        Slot from = copy.From.Slot.Root;
        Slot to = copy.To.Slot.Root;
        bool fits = !ReferenceEquals(from, to) && from.IsWritable && from.SizeInBytes == to.SizeInBytes &&
            (from.Kind is null || to.Kind is null);
        if (fits && from.Live.Last <= copy.Number && to.Live.First >= copy.Number)
        {
            Slot.Merge(to, from);
        }
    }

    private static void ShareBranchResults(DraftBranch branch, PlanDraft draft)
    {
        for (int i = 0; i < draft.Results.Count; i++)
        {
            Slot from = draft.Results[i].Slot.Root;
            Slot to = branch.Results[i].Slot.Root;
            DraftCopy? copy = draft.Steps.OfType<DraftCopy>().LastOrDefault(c => ReferenceEquals(c.To, branch.Results[i]));
            bool inside = copy is not null && from.Live.First > branch.Number && from.Live.Last <= copy.Number;
            if (inside && from.Kind is null && from.SizeInBytes == to.SizeInBytes)
            {
                Slot.Merge(to, from);
            }
        }
    }

    private static void RunInPlace(DraftRun run)
    {
        for (int i = 0; i < run.Results.Length; i++)
        {
            Slot to = run.Results[i].Slot.Root;
            if (to.Live.First != run.Number || to.IsPart)
            {
                continue;
            }
            foreach (Value operand in run.Operands)
            {
                Slot from = operand.Slot.Root;
                bool fits = from.IsWritable && !from.IsPart && from.SizeInBytes == to.SizeInBytes &&
                    (from.Kind is null || to.Kind is null) && from.Live.Last == run.Number && from.Live.First < run.Number;
                if (fits && !run.Results.Any(r => ReferenceEquals(r.Slot.Root, from)) && MayOverwrite(run, from, i))
                {
                    Slot.Merge(to, from);
                    break;
                }
            }
        }
    }

    // Every operand that lies in the slot must be read at the place that is written only, and none may lie in a part of it.
    private static bool MayOverwrite(DraftRun run, Slot slot, int result) => Enumerable.Range(0, run.Operands.Length).All(i =>
    {
        Slot operand = run.Operands[i].Slot.Root;
        return !ReferenceEquals(operand.Home, slot) || (ReferenceEquals(operand, slot) && InPlaceAccess.MayOverwrite(run.Node, i, result));
    });
}
