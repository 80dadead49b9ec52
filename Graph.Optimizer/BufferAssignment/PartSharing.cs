using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Lets values lie in parts of other values' memory, so that concatenations and slices need no kernels.</summary>
/// <remarks>
/// <code>
/// a = f(x), b = g(y), c = concatenate(a, b)     a and b are written where c has them; what cannot be is copied there
/// b = slice(a)                                  b is read where a has it
/// </code>
/// Only values that have their memory to themselves move, and only into memory that holds nothing else meanwhile and is not written again.
/// A concatenation is in use from its first operand on and a sliced value until its last slice; what would make the peak higher so stays
/// as it is. To be applied when values that take turns share their memory already, and before kernels work in place: those look at the
/// lives that are then known.
/// </remarks>
internal sealed class PartSharing
{
    // What is copied is copied by one thread, whereas a kernel shares its work.
    private const long FewBytes = 64 * 1024;
    private const long LargestCopiedShare = 4;

    private readonly PlanDrafter _drafter;
    private readonly Dictionary<Slot, int> _tenants = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Value> _results = new(ReferenceEqualityComparer.Instance);
    private PeakUse? _use;

    /// <param name="drafter">The steps and values.</param>
    public PartSharing(PlanDrafter drafter)
    {
        _drafter = drafter;
        foreach (Value value in drafter.Values)
        {
            Slot root = value.Slot.Root;
            _tenants[root] = _tenants.GetValueOrDefault(root) + 1;
        }
        foreach (PlanDraft draft in drafter.Drafts)
        {
            _results.UnionWith(draft.Results);
        }
    }

    private PeakUse Use => _use ??= new PeakUse(_drafter);

    /// <summary>Replaces what needs no kernel.</summary>
    public void Apply()
    {
        foreach (PlanDraft draft in _drafter.Drafts)
        {
            var written = new HashSet<Value>(ReferenceEqualityComparer.Instance);
            var steps = new List<DraftStep>();
            foreach (DraftStep step in draft.Steps)
            {
                if (step is not DraftRun run || InPlaceAccess.UpdatesOperands(run.Node.Op))
                {
                    steps.Add(step);
                    continue;
                }
                List<DraftStep>? instead = TryJoin(run, written) ?? TryTake(run);
                steps.AddRange(instead ?? [run]);
                written.UnionWith(run.Results);
                if (instead is not null)
                {
                    _drafter.Runs.Remove(run);
                }
            }
            draft.Steps.Clear();
            draft.Steps.AddRange(steps);
        }
    }

    private List<DraftStep>? TryJoin(DraftRun run, HashSet<Value> written)
    {
        ImmutableArray<ContiguousPart> parts = ContiguousParts.OfConcatenation(run.Node);
        if (parts.IsEmpty)
        {
            return null;
        }
        Slot whole = run.Results[0].Slot.Root;
        if (whole.IsPart || whole.Live.First != run.Number)
        {
            return null;
        }
        var moved = new List<Slot>();
        foreach (Value operand in parts.Select(p => run.Operands[p.Operand]))
        {
            Slot slot = operand.Slot.Root;
            bool isFree = written.Contains(operand) && IsMovable(operand) && !moved.Contains(slot) && !ReferenceEquals(slot, whole);
            if (isFree && (slot.Live.Last <= run.Number || IsAlone(whole)))
            {
                moved.Add(slot);
            }
        }
        moved.Sort((a, b) => b.Live.First.CompareTo(a.Live.First));
        while (moved.Count > 0 && !Use.TryMove(moved, whole))
        {
            moved.RemoveAt(moved.Count - 1); // it would hold the memory of the whole for longest
        }
        long left = parts.Sum(p => moved.Contains(run.Operands[p.Operand].Slot.Root) ? 0 : PeakUse.Bytes(p.SizeInBytes));
        if (moved.Count == 0 || left > Math.Max(FewBytes, PeakUse.Bytes(whole.SizeInBytes) / LargestCopiedShare))
        {
            return null;
        }
        Use.Move(moved, whole);
        var steps = new List<DraftStep>();
        var places = ImmutableArray.CreateBuilder<Value>();
        foreach (ContiguousPart part in parts)
        {
            Value operand = run.Operands[part.Operand];
            Value place = _drafter.NewValue(operand.Type, run.Number);
            place.Slot.PlaceIn(whole, part.OffsetInBytes);
            if (moved.Remove(operand.Slot.Root))
            {
                Slot.Merge(place.Slot, operand.Slot);
            }
            else
            {
                steps.Add(new DraftCopy(run.Number, operand, place));
            }
            _tenants[place.Slot.Root] = 1;
            places.Add(place);
        }
        steps.Add(new DraftParts(run.Number, run.Node, places.ToImmutable(), run.Results));
        return steps;
    }

    private List<DraftStep>? TryTake(DraftRun run)
    {
        ImmutableArray<ContiguousPart> parts = ContiguousParts.OfSlices(run.Node);
        if (parts.IsEmpty)
        {
            return null;
        }
        for (int i = 0; i < parts.Length; i++)
        {
            Slot piece = run.Results[i].Slot.Root;
            bool isFree = IsMovable(run.Results[i]) && piece.Live.First == run.Number && IsStable(run.Operands[parts[i].Operand].Slot.Root);
            if (!isFree || run.Results.Take(i).Any(r => ReferenceEquals(r.Slot.Root, piece)))
            {
                return null;
            }
        }
        if (parts.Where((p, i) => !Use.TryMove([run.Results[i].Slot.Root], run.Operands[p.Operand].Slot.Root.Home)).Any())
        {
            return null;
        }
        for (int i = 0; i < parts.Length; i++)
        {
            Slot whole = run.Operands[parts[i].Operand].Slot.Root;
            Slot piece = run.Results[i].Slot.Root;
            Use.Move([piece], whole.Home);
            piece.PlaceIn(whole, parts[i].OffsetInBytes);
        }
        return [new DraftParts(run.Number, run.Node, run.Operands, run.Results)];
    }

    // A value of the arena that shares its memory with no other, and that nobody expects at a place of his own.
    private bool IsMovable(Value value)
    {
        Slot slot = value.Slot.Root;
        return slot.Kind is null && !slot.IsPart && IsAlone(slot) && !_results.Contains(value);
    }

    private bool IsAlone(Slot slot) => _tenants[slot] == 1;

    // Memory that keeps what it holds: the caller's, a constant's, or of one value alone, all around it included.
    private bool IsStable(Slot slot)
    {
        for (Slot? at = slot; at is not null; at = at.Whole)
        {
            if (at.Kind is BufferKind.Parameter or BufferKind.Constant ? at.IsWritable : !IsAlone(at))
            {
                return false;
            }
        }
        return true;
    }
}
