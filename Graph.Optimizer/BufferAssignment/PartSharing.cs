using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Lets values lie in parts of other values' memory, so that concatenations and slices need no kernels.</summary>
/// <remarks>
/// <code>
/// a = f(x), b = g(y), c = concatenate(a, b)     a and b are written where c has them; what cannot be is copied there
/// b = slice(a)                                  b is read where a has it
/// c = pad(concatenate(a, b))                    the same where rows of a and b take turns: kernels write them at c's distance (BoxedParts)
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
    private readonly Func<Node, PartBox, bool> _writesBox;
    private readonly Dictionary<Slot, int> _tenants = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Value> _results = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Slot> _wholes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, List<DraftStep>> _readers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, DraftRun> _writers = new(ReferenceEqualityComparer.Instance);
    private PeakUse? _use;

    /// <param name="drafter">The steps and values.</param>
    public PartSharing(PlanDrafter drafter)
    {
        _drafter = drafter;
        _writesBox = drafter.Options.WritesBox ?? ((_, _) => true);
        foreach (Value value in drafter.Values)
        {
            Slot root = value.Slot.Root;
            _tenants[root] = _tenants.GetValueOrDefault(root) + 1;
        }
        foreach (PlanDraft draft in drafter.Drafts)
        {
            _results.UnionWith(draft.Results);
            draft.Steps.ForEach(NoteReads);
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
                List<DraftStep>? instead = TryJoin(run, written) ?? TryPlace(run, written) ?? TryTake(run);
                steps.AddRange(instead ?? [run]);
                written.UnionWith(run.Results);
                if (instead is not null && !instead.Contains(run))
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
        _wholes.Add(whole);
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

    // The step that puts boxes together writes what is not there yet.
    private List<DraftStep>? TryPlace(DraftRun run, HashSet<Value> written)
    {
        ImmutableArray<BoxedPart> parts = BoxedParts.Of(run.Node);
        if (parts.IsEmpty)
        {
            return null;
        }
        Slot whole = run.Results[0].Slot.Root;
        if (whole.IsPart || whole.Live.First != run.Number || !IsAlone(whole))
        {
            return null;
        }
        List<BoxedPart> moved = [.. parts.Where(part => written.Contains(run.Operands[part.Operand]) && MayPlace(run, part))
            .OrderByDescending(part => SlotOf(part).Live.First)];
        while (moved.Count > 0 && !Use.TryMove([.. moved.Select(SlotOf)], whole))
        {
            moved.RemoveAt(moved.Count - 1); // it would hold the memory of the whole for longest
        }
        if (moved.Count == 0)
        {
            return null;
        }
        Use.Move([.. moved.Select(SlotOf)], whole);
        _wholes.Add(whole);
        foreach (BoxedPart part in moved)
        {
            Value place = _drafter.NewValue(part.Box.Whole, run.Number);
            place.Slot.PlaceIn(whole, part.Box);
            Slot.Merge(place.Slot, run.Operands[part.Operand].Slot);
            _tenants[place.Slot.Root] = 1;
        }
        bool isComplete = moved.Count == parts.Length && BoxedParts.PadAndJoin(((FusionOp)run.Node.Op).Body.Results[0]) is (null, _);
        if (isComplete)
        {
            return [new DraftParts(run.Number, run.Node, [.. parts.Select(p => run.Operands[p.Operand])], run.Results)];
        }
        run.PartsInPlace = [.. moved.Select(part => part.Operand)];
        return [run];

        Slot SlotOf(BoxedPart part) => run.Operands[part.Operand].Slot.Root;
    }

    // Who writes the operand and everybody who reads it must know that its rows are apart.
    private bool MayPlace(DraftRun run, BoxedPart part)
    {
        Value operand = run.Operands[part.Operand];
        return IsMovable(operand) && !_wholes.Contains(operand.Slot.Root) && operand.Type.Equals(part.Box.Part) &&
            run.Operands.Count(o => ReferenceEquals(o, operand)) == 1 &&
            _writers.TryGetValue(operand, out DraftRun? writer) && BoxedParts.MayWrite(writer.Node) && _writesBox(writer.Node, part.Box) &&
            _readers[operand].TrueForAll(step => ReferenceEquals(step, run) || (step is DraftRun reader && BoxedParts.MayRead(reader.Node) &&
                Enumerable.Range(0, reader.Operands.Length).All(i =>
                    !ReferenceEquals(reader.Operands[i], operand) || reader.Node.Operands[i].Type.Equals(part.Box.Part))));
    }

    private void NoteReads(DraftStep step)
    {
        IEnumerable<Value> reads = step switch
        {
            DraftRun run => run.Operands,
            DraftCopy copy => [copy.From, copy.To],
            DraftWhile loop => [.. loop.Initial, .. loop.Carried],
            DraftBranch branch => [branch.Selector, .. branch.Results],
            _ => [],
        };
        foreach (Value value in reads)
        {
            if (!_readers.TryGetValue(value, out List<DraftStep>? readers))
            {
                _readers.Add(value, readers = []);
            }
            readers.Add(step);
        }
        if (step is DraftRun { Results: [var only] } writer && !InPlaceAccess.UpdatesOperands(writer.Node.Op))
        {
            _writers.Add(only, writer);
        }
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
            _wholes.Add(whole);
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
            if (at.Box is not null)
            {
                return false;
            }
            if (at.Kind is BufferKind.Parameter or BufferKind.Constant ? at.IsWritable : !IsAlone(at))
            {
                return false;
            }
        }
        return true;
    }
}
