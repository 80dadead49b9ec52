namespace Graphene.Codegen;

/// <content>Barriers of phases, copies of boxes, and products of warpgroups.</content>
internal sealed partial class SimtCompiler
{
    private void Bulk(KStmt statement, int number)
    {
        switch (statement)
        {
            case KPhaseInit init:
                Add(new PhaseInitStep(init.Barriers));
                break;
            case KPhaseArrive arrive:
                Add(new PhaseArriveStep(arrive.Barriers, ThreadValue(arrive.Index), arrive.Bytes));
                break;
            case KPhaseWait wait:
                Add(new PhaseWaitStep(number, wait.Barriers, ThreadValue(wait.Index), ThreadValue(wait.Parity)));
                break;
            case KBulkCopy copy:
                Written.Add(copy.To);
                Add(new BulkCopyStep(
                    Number(copy.To), ThreadValue(copy.ToIndex), MapNumber(copy.From), [.. copy.At.Select(ThreadValue)], copy.Barriers,
                    ThreadValue(copy.Barrier)));
                break;
            case KWarpgroupDot { Left: var left, Right: var right } dot:
                Add(new WarpgroupDotStep(
                    dot.Shape, _registers[dot.Sum], left, Number(left.Buffer), ThreadValue(left.Index), right, Number(right.Buffer),
                    ThreadValue(right.Index)));
                break;
            case KWarpgroupFence:
                Add(new WarpgroupFenceStep());
                break;
            case KWarpgroupCommit:
                Add(new WarpgroupCommitStep());
                break;
            case KWarpgroupWait wait:
                Add(new WarpgroupWaitStep(wait.Pending, [.. wait.Sums.Select(s => _registers[s])]));
                break;
            default:
                throw new CompilerBugException("Kernel IR interpreter", $"{statement.GetType().Name} in a kernel with threads");
        }
    }

    private int MapNumber(KTensorMap map) => _kernel.Maps.ToList().IndexOf(map);

    // What threads themselves do with sums that products add to.
    private void TouchSums(KStmt statement)
    {
        if (_sums.Count == 0)
        {
            return;
        }
        var seen = new HashSet<KExpr>(ReferenceEqualityComparer.Instance);
        foreach (KExpr operand in KTraversal.Operands(statement))
        {
            KTraversal.PostOrder(operand, seen.Contains, KTraversal.Operands, e =>
            {
                seen.Add(e);
                if (e is KRead read)
                {
                    TouchSum(read.Register, "reads");
                }
            });
        }
        if (statement is KAssign assign)
        {
            TouchSum(assign.Register, "sets");
        }
    }

    private void TouchSum(KRegister register, string does)
    {
        if (_sums.Contains(register))
        {
            Add(new SumTouchStep(_registers[register], does));
        }
    }

    private static IEnumerable<KRegister> SumsOf(KBlock block) => block.Statements.SelectMany(s => s is KWarpgroupDot dot
        ? [dot.Sum]
        : KTraversal.Blocks(s).SelectMany(SumsOf));
}
