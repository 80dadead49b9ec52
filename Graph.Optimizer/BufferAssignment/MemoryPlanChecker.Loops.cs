namespace Graphene.Optimizer;

/// <content>Loops that may run at the same time.</content>
public sealed partial class MemoryPlanChecker
{
    private void RequireApart(ComputationPlan plan, WhileStep loop)
    {
        if (loop.Beside == 0)
        {
            return;
        }
        int at = plan.Steps.IndexOf(loop);
        (HashSet<int> reads, HashSet<int> writes) = Touched(loop);
        foreach (PlanStep step in plan.Steps.Skip(at + 1).Take(loop.Beside))
        {
            if (step is not WhileStep other)
            {
                throw new CompilerBugException(
                    "buffer assignment", $"step {step.Number} stands between loops that run at the same time");
            }
            (HashSet<int> othersReads, HashSet<int> othersWrites) = Touched(other);
            RequireApart(writes, [.. othersReads, .. othersWrites], $"loops {loop.Number} and {other.Number}");
            RequireApart(othersWrites, reads, $"loops {other.Number} and {loop.Number}");
        }
    }

    private void RequireApart(HashSet<int> writes, HashSet<int> touches, string who)
    {
        foreach (int buffer in writes)
        {
            if (touches.Contains(buffer) || Overlapping(buffer).Any(touches.Contains))
            {
                throw new CompilerBugException(
                    "buffer assignment",
                    $"{who} run at the same time, the first writes buffer {buffer} and the second touches it");
            }
        }
    }

    private static (HashSet<int> Reads, HashSet<int> Writes) Touched(PlanStep step)
    {
        var reads = new HashSet<int>();
        var writes = new HashSet<int>();
        Visit(step);
        return (reads, writes);

        void Visit(PlanStep inner)
        {
            switch (inner)
            {
                case RunStep run:
                    reads.UnionWith(run.Operands);
                    writes.UnionWith([.. run.Results, .. run.Workspaces]);
                    break;
                case CopyStep copy:
                    reads.Add(copy.From);
                    writes.Add(copy.To);
                    break;
                case PartsStep parts:
                    reads.UnionWith(parts.Operands);
                    break;
                case WhileStep loop:
                    reads.UnionWith([.. loop.Carried, .. loop.Condition.Results]);
                    foreach (PlanStep next in loop.Condition.Steps.Concat(loop.Body.Steps))
                    {
                        Visit(next);
                    }
                    break;
                case BranchStep branch:
                    reads.Add(branch.Selector);
                    foreach (PlanStep next in branch.Branches.SelectMany(b => b.Steps))
                    {
                        Visit(next);
                    }
                    break;
            }
        }
    }
}
