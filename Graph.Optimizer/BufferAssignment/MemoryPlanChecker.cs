using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Follows a plan step by step and fails when a step would read memory that does not hold its operand any more.</summary>
/// <remarks>
/// It knows nothing of intervals: it keeps for each buffer the values it holds, forgets them when a buffer that overlaps it is
/// written, and asks for each operand whether its buffer holds it. Loops are followed for two rounds, branches each from the
/// state before.
/// </remarks>
public sealed class MemoryPlanChecker
{
    private readonly MemoryPlan _plan;
    private readonly ArenaLayout _layout;
    private readonly long[] _sizes;
    private readonly Dictionary<int, List<int>> _overlapping = [];
    private HashSet<object>[] _holds;

    private MemoryPlanChecker(MemoryPlan plan, Func<DimSymbol, long> valueOf)
    {
        _plan = plan;
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
                    Write(copy.To, $"copy {copy.Number}", copied);
                    break;
                case WhileStep loop:
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
        RequireInPlace(run);
        foreach (int workspace in run.Workspaces)
        {
            Write(workspace, $"step {run.Number}", []);
        }
        for (int i = 0; i < run.Results.Length; i++)
        {
            Write(run.Results[i], $"step {run.Number}", [(plan, run.Node, i)]);
        }
        for (int i = 0; i < run.Results.Length; i++)
        {
            RequireHeld(run.Results[i], (plan, run.Node, i), $"result {i} of step {run.Number}, written with the others,");
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

    private static void RequireInPlace(RunStep run)
    {
        for (int i = 0; i < run.Results.Length; i++)
        {
            for (int j = 0; j < run.Operands.Length; j++)
            {
                if (run.Results[i] == run.Operands[j] && !InPlaceAccess.UpdatesOperands(run.Node.Op) &&
                    !InPlaceAccess.MayOverwrite(run.Node, j, i))
                {
                    throw new CompilerBugException(
                        "buffer assignment", $"result {i} of step {run.Number} ({run.Node}) is written over operand {j}, which it reads elsewhere");
                }
            }
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
        BufferKind kind = _plan.Buffers[buffer].Kind;
        if (kind == BufferKind.Constant || (kind == BufferKind.Parameter && !_plan.Entry.Results.Contains(buffer)))
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
        list = [];
        if (_plan.Buffers[buffer].Kind == BufferKind.Temporary)
        {
            long begin = _layout.Offsets[buffer];
            list.AddRange(_plan.Buffers.Where(b => b.Kind == BufferKind.Temporary && b.Index != buffer &&
                _layout.Offsets[b.Index] < begin + _sizes[buffer] && begin < _layout.Offsets[b.Index] + _sizes[b.Index])
                .Select(b => b.Index));
        }
        _overlapping.Add(buffer, list);
        return list;
    }
}
