using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Follows a plan step by step and fails when a step would read memory that does not hold its operand any more.</summary>
/// <remarks>
/// It knows nothing of intervals: it keeps for each buffer the values it holds, forgets them when a buffer that overlaps it is
/// written, and asks for each operand whether its buffer holds it. Loops are followed for two rounds, branches each from the
/// state before. Loops side by side are followed one after the other, and may not touch what another of them writes.
/// </remarks>
public sealed partial class MemoryPlanChecker
{
    private readonly MemoryPlan _plan;
    private readonly Func<DimSymbol, long> _valueOf;
    private readonly ArenaLayout _layout;
    private readonly long[] _sizes;
    private readonly Dictionary<int, List<int>> _overlapping = [];
    private HashSet<object>[] _holds;

    private MemoryPlanChecker(MemoryPlan plan, Func<DimSymbol, long> valueOf)
    {
        _plan = plan;
        _valueOf = valueOf;
        _layout = plan.Pack(valueOf);
        _sizes = [.. plan.Buffers.Select(b => b.SizeInBytes.Evaluate(valueOf))];
        _holds = [.. plan.Buffers.Select(_ => new HashSet<object>())];
    }

    /// <summary>Checks a plan for given symbol values.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="valueOf">Gives each symbol's value.</param>
    /// <exception cref="CompilerBugException">A step reads memory that was overwritten, or writes memory it must not.</exception>
    public static void Check(MemoryPlan plan, Func<DimSymbol, long> valueOf)
    {
        var checker = new MemoryPlanChecker(plan, valueOf);
        ComputationPlan entry = plan.Entry;
        for (int i = 0; i < entry.Parameters.Length; i++)
        {
            checker._holds[entry.Parameters[i]].Add(Key(entry, entry.Computation.Parameters[i]));
        }
        checker.Follow(entry);
        for (int i = 0; i < entry.Results.Length; i++)
        {
            checker.RequireHeld(entry.Results[i], Key(entry, entry.Computation.Results[i]), $"result {i}");
        }
    }

    private static (ComputationPlan Plan, Node Node, int Result) Key(ComputationPlan plan, Node node)
    {
        (Node source, int result) = MemoryNames.Resolve(node);
        return (plan, source, result);
    }

    private void Follow(ComputationPlan plan)
    {
        foreach (Node node in plan.Computation.PostOrder().Where(n => n.Op is ConstantOp))
        {
            _holds[plan.BufferOf(node)].Add(Key(plan, node));
        }
        foreach (PlanStep step in plan.Steps)
        {
            switch (step)
            {
                case RunStep run:
                    Follow(plan, run);
                    break;
                case CopyStep copy:
                    HashSet<object> copied = [.. _holds[copy.From]];
                    RequireApart(copy.From, copy.To, $"copy {copy.Number}");
                    Write(copy.To, $"copy {copy.Number}", copied);
                    break;
                case PartsStep parts:
                    Follow(plan, parts);
                    break;
                case WhileStep loop:
                    RequireApart(plan, loop);
                    Follow(plan, loop);
                    break;
                case BranchStep branch:
                    Follow(plan, branch);
                    break;
            }
        }
    }

    private void Follow(ComputationPlan plan, RunStep run)
    {
        for (int i = 0; i < run.Operands.Length; i++)
        {
            RequireHeld(run.Operands[i], Key(plan, run.Node.Operands[i]), $"operand {i} of step {run.Number} ({run.Node})");
        }
        ImmutableArray<BoxedPart> there = PartsInPlace(run);
        HashSet<object>[] kept = [.. there.Select(part => new HashSet<object>(_holds[run.Operands[part.Operand]]))];
        RequireInPlace(run, there);
        foreach (int workspace in run.Workspaces)
        {
            Write(workspace, $"step {run.Number}", []);
        }
        for (int i = 0; i < run.Results.Length; i++)
        {
            Write(run.Results[i], $"step {run.Number}", [(plan, run.Node, i)]);
        }
        for (int i = 0; i < there.Length; i++)
        {
            _holds[run.Operands[there[i].Operand]] = kept[i];
        }
        for (int i = 0; i < run.Results.Length; i++)
        {
            RequireHeld(run.Results[i], (plan, run.Node, i), $"result {i} of step {run.Number}, written with the others,");
        }
    }

    // The operands that a step finds in its result, where they belong. Asked of the nodes again, although the step says it
    // (RunStep.PartsInPlace): a checker that believed the plan would check nothing.
    private ImmutableArray<BoxedPart> PartsInPlace(RunStep run) => [.. BoxedParts.Of(run.Node).Where(part =>
        _plan.Buffers[run.Operands[part.Operand]].Box is { } box && box.Equals(part.Box) &&
        PlaceOf(run.Operands[part.Operand]) == PlaceOf(run.Results[0]))];

    private void FollowBoxes(ComputationPlan plan, PartsStep step, ImmutableArray<BoxedPart> parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            int part = step.Operands[i];
            string what = $"operand {parts[i].Operand} of step {step.Number} ({step.Node})";
            RequireHeld(part, Key(plan, step.Node.Operands[parts[i].Operand]), what);
            if (!parts[i].Box.Equals(_plan.Buffers[part].Box) || PlaceOf(part) != PlaceOf(step.Results[0]))
            {
                throw new CompilerBugException("buffer assignment", $"{what} is not at {parts[i].Box.Starts} of buffer {step.Results[0]}");
            }
        }
        _holds[step.Results[0]].Add((plan, step.Node, 0));
    }

    // Nothing is written: what the operands' memory holds is the result, if it lies where it should.
    private void Follow(ComputationPlan plan, PartsStep step)
    {
        if (BoxedParts.Of(step.Node) is { IsEmpty: false } boxes && ContiguousParts.OfConcatenation(step.Node).IsEmpty)
        {
            FollowBoxes(plan, step, boxes);
            return;
        }
        ImmutableArray<ContiguousPart> joined = ContiguousParts.OfConcatenation(step.Node);
        ImmutableArray<ContiguousPart> parts = joined.IsEmpty ? ContiguousParts.OfSlices(step.Node) : joined;
        for (int i = 0; i < parts.Length; i++)
        {
            int operand = parts[i].Operand;
            int inside = joined.IsEmpty ? step.Operands[operand] : step.Results[0];
            int part = joined.IsEmpty ? step.Results[i] : step.Operands[i];
            string what = $"operand {operand} of step {step.Number} ({step.Node})";
            RequireHeld(joined.IsEmpty ? inside : part, Key(plan, step.Node.Operands[operand]), what);
            (int home, long begin, long size) = PlaceOf(part);
            (int whole, long start, long length) = PlaceOf(inside);
            long offset = parts[i].OffsetInBytes.Evaluate(_valueOf);
            if (home != whole || begin != start + offset || size != parts[i].SizeInBytes.Evaluate(_valueOf) || offset + size > length)
            {
                throw new CompilerBugException(
                    "buffer assignment", $"{what} is not at byte {offset} of buffer {inside}, but in buffer {part}");
            }
            if (joined.IsEmpty)
            {
                _holds[part].Add((plan, step.Node, i));
            }
        }
        if (!joined.IsEmpty)
        {
            _holds[step.Results[0]].Add((plan, step.Node, 0));
        }
    }

    private void Follow(ComputationPlan plan, WhileStep loop)
    {
        for (int i = 0; i < loop.Carried.Length; i++)
        {
            RequireHeld(loop.Carried[i], Key(plan, loop.Node.Operands[i]), $"initial value {i} of step {loop.Number}");
        }
        for (int round = 0; round < 2; round++)
        {
            Enter(loop.Condition, loop.Carried);
            Follow(loop.Condition);
            RequireHeld(
                loop.Condition.Results[0], Key(loop.Condition, loop.Condition.Computation.Results[0]), $"condition of step {loop.Number}");
            Enter(loop.Body, loop.Carried);
            Follow(loop.Body);
            for (int i = 0; i < loop.Carried.Length; i++)
            {
                RequireHeld(loop.Carried[i], Key(loop.Body, loop.Body.Computation.Results[i]), $"next value {i} of step {loop.Number}");
            }
            Forget(loop.Condition);
        }
        Forget(loop.Body);
        for (int i = 0; i < loop.Carried.Length; i++)
        {
            _holds[loop.Carried[i]].Add((plan, loop.Node, i));
        }
    }

    private void Follow(ComputationPlan plan, BranchStep step)
    {
        RequireHeld(step.Selector, Key(plan, step.Node.Operands[0]), $"selector of step {step.Number}");
        HashSet<object>[] before = _holds;
        var after = new List<HashSet<object>[]>();
        foreach (ComputationPlan branch in step.Branches)
        {
            _holds = [.. before.Select(h => new HashSet<object>(h))];
            for (int i = 0; i < branch.Parameters.Length; i++)
            {
                RequireHeld(branch.Parameters[i], Key(plan, step.Node.Operands[i + 1]), $"argument {i} of step {step.Number}");
            }
            Enter(branch, branch.Parameters);
            Follow(branch);
            for (int i = 0; i < step.Results.Length; i++)
            {
                RequireHeld(step.Results[i], Key(branch, branch.Computation.Results[i]), $"result {i} of a branch of step {step.Number}");
            }
            Forget(branch);
            after.Add(_holds);
        }
        for (int i = 0; i < _holds.Length; i++)
        {
            _holds[i] = [.. after.Select(holds => holds[i]).Aggregate((IEnumerable<object>)after[0][i], (all, h) => all.Intersect(h))];
        }
        for (int i = 0; i < step.Results.Length; i++)
        {
            _holds[step.Results[i]].Add((plan, step.Node, i));
        }
    }

    // What the round before left is stale; the parameters are what the buffers hold now.
    private void Enter(ComputationPlan plan, ImmutableArray<int> arguments)
    {
        Forget(plan);
        for (int i = 0; i < arguments.Length; i++)
        {
            _holds[arguments[i]].Add(Key(plan, plan.Computation.Parameters[i]));
        }
    }

    private void Forget(ComputationPlan plan)
    {
        foreach (HashSet<object> holds in _holds)
        {
            holds.RemoveWhere(key => key is (ComputationPlan owner, Node, int) && ReferenceEquals(owner, plan));
        }
    }

    private void RequireInPlace(RunStep run, ImmutableArray<BoxedPart> there)
    {
        for (int i = 0; i < run.Results.Length; i++)
        {
            for (int j = 0; j < run.Operands.Length; j++)
            {
                if (run.Results[i] == run.Operands[j] && !InPlaceAccess.UpdatesOperands(run.Node.Op) &&
                    !InPlaceAccess.MayOverwrite(run.Node, j, i))
                {
                    throw new CompilerBugException(
                        "buffer assignment",
                        $"result {i} of step {run.Number} ({run.Node}) is written over operand {j}, which it reads elsewhere");
                }
                if (!there.Any(part => part.Operand == j))
                {
                    RequireApart(run.Operands[j], run.Results[i], $"step {run.Number} ({run.Node})");
                }
            }
        }
    }

    private void RequireApart(int from, int to, string who)
    {
        if (from != to && Overlapping(to).Contains(from))
        {
            throw new CompilerBugException("buffer assignment", $"{who} reads buffer {from} and writes buffer {to}, which overlaps it");
        }
    }

    private void RequireHeld(int buffer, object key, string what)
    {
        if (!_holds[buffer].Contains(key))
        {
            throw new CompilerBugException("buffer assignment", $"{what} is not in buffer {buffer} when it is needed");
        }
    }

    private void Write(int buffer, string who, HashSet<object> values)
    {
        int home = _plan.Buffers[buffer] is { Kind: BufferKind.Part, Number: var whole } ? whole : buffer;
        BufferKind kind = _plan.Buffers[home].Kind;
        if (kind == BufferKind.Constant || (kind == BufferKind.Parameter && !_plan.Entry.Results.Contains(home)))
        {
            throw new CompilerBugException("buffer assignment", $"{who} writes buffer {buffer}, a {kind}");
        }
        foreach (int other in Overlapping(buffer))
        {
            _holds[other].Clear();
        }
        _holds[buffer] = values;
    }

    private List<int> Overlapping(int buffer)
    {
        if (_overlapping.TryGetValue(buffer, out List<int>? list))
        {
            return list;
        }
        (int home, long begin, long size) = PlaceOf(buffer);
        list = [.. _plan.Buffers.Select(b => b.Index).Where(other => other != buffer && PlaceOf(other) is var (otherHome, start, length) &&
            otherHome == home && start < begin + size && begin < start + length && !AreApart(buffer, other))];
        _overlapping.Add(buffer, list);
        return list;
    }

    private bool AreApart(int left, int right) =>
        _plan.Buffers[left].Box is { } box && _plan.Buffers[right].Box is { } other && PlaceOf(left) == PlaceOf(right) &&
        box.IsApartFrom(other, _valueOf);

    // The memory that a buffer lies in (-1 for the arena), where it begins there, and its size.
    private (int Home, long Begin, long Size) PlaceOf(int index)
    {
        PlannedBuffer buffer = _plan.Buffers[index];
        if (buffer.Kind == BufferKind.Part)
        {
            (int home, long begin, _) = PlaceOf(buffer.Number);
            return (home, begin + buffer.OffsetInBytes.Evaluate(_valueOf), _sizes[index]);
        }
        return buffer.Kind == BufferKind.Temporary ? (-1, _layout.Offsets[index], _sizes[index]) : (index, 0, _sizes[index]);
    }
}
