namespace Graphene.Codegen;

/// <summary>All threads of the task meet.</summary>
internal sealed class BarrierStep : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireAll();
        block.Clock.PassBarrier();
    }
}

/// <summary>The threads of each warp meet.</summary>
internal sealed class WarpBarrierStep : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        for (int warp = block.Active.Low / KThreads.WarpSize; warp * KThreads.WarpSize < block.Active.High; warp++)
        {
            if (block.Active[warp * KThreads.WarpSize])
            {
                block.Clock.PassWarpBarrier(warp);
            }
        }
    }
}

/// <summary>Takes a value from another thread of the warp.</summary>
internal sealed class ExchangeStep<T>(SimtSlot result, SimtSlot value, SimtSlot operand, KExchangeKind kind) : SimtStep
    where T : unmanaged
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        ReadOnlySpan<long> operands = block.Values<long>(operand);
        SimtMask active = block.Active;
        for (int t = active.Low; t < active.High; t++)
        {
            if (!active[t])
            {
                continue;
            }
            int from = From(block, t, operands[t]);
            for (int lane = 0; lane < result.Type.Lanes; lane++)
            {
                block.Lane<T>(result, lane)[t] = block.Lane<T>(value, lane)[from];
            }
        }
    }

    private int From(SimtBlock block, int thread, long operand)
    {
        if (operand is < 0 or >= KThreads.WarpSize)
        {
            throw block.Bug($"thread {thread} exchanges with {operand}, which is not from 0 to {KThreads.WarpSize - 1}");
        }
        int own = thread % KThreads.WarpSize;
        int lane = kind switch
        {
            KExchangeKind.Lane => (int)operand,
            KExchangeKind.Xor => own ^ (int)operand,
            KExchangeKind.Up => own - (int)operand < 0 ? own : own - (int)operand,
            _ => own + (int)operand >= KThreads.WarpSize ? own : own + (int)operand,
        };
        return thread - own + lane;
    }
}

/// <summary>Each active thread begins a copy.</summary>
internal sealed class AsyncCopyStep(
    int to, SimtSlot toIndex, int from, SimtSlot fromIndex, int count, SimtSlot? condition) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        (SimtMemory target, SimtMemory source) = (block.Memory(to), block.Memory(from));
        ReadOnlySpan<long> targets = block.Values<long>(toIndex);
        ReadOnlySpan<long> sources = block.Values<long>(fromIndex);
        ReadOnlySpan<byte> holds = condition is { } c ? block.Values<byte>(c) : default;
        SimtMask active = block.Active;
        for (int t = active.Low; t < active.High; t++)
        {
            if (!active[t])
            {
                continue;
            }
            bool reads = condition is null || holds[t] != 0;
            if (targets[t] % count != 0 || (reads && sources[t] % count != 0))
            {
                throw block.Bug(
                    $"thread {t} copies {count} elements from {sources[t]} to {targets[t]}; both must be multiples of {count}");
            }
            if (reads)
            {
                source.Read(block, sources[t], count, t);
            }
            block.Copies.Begin(t, target, targets[t], source, reads ? sources[t] : -1, count);
        }
    }
}

/// <summary>The active threads make groups of their copies.</summary>
internal sealed class AsyncCommitStep : SimtStep
{
    public override void Run(SimtBlock block)
    {
        for (int t = block.Active.Low; t < block.Active.High; t++)
        {
            if (block.Active[t])
            {
                block.Copies.Commit(t);
            }
        }
    }
}

/// <summary>The active threads wait for their copies.</summary>
internal sealed class AsyncWaitStep(int pending) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        for (int t = block.Active.Low; t < block.Active.High; t++)
        {
            if (block.Active[t])
            {
                block.Copies.Wait(t, pending);
            }
        }
    }
}
