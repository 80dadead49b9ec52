using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
        int bytes = target.Buffer.Element.SizeInBytes();
        Span<byte> targetBytes = target.Contents<byte>();
        ReadOnlySpan<byte> sourceBytes = source.Contents<byte>();
        bool isWatched = block.IsWatched;
        SimtMask active = block.Active;
        for (int t = active.Low; t < active.High; t++)
        {
            if (!active[t])
            {
                continue;
            }
            bool reads = condition is null || holds[t] != 0;
            if (!IsMultiple(targets[t]) || (reads && !IsMultiple(sources[t])))
            {
                throw block.Bug(
                    $"thread {t} copies {count} elements from {sources[t]} to {targets[t]}; both must be multiples of {count}");
            }
            if (reads)
            {
                source.Read(block, sources[t], count, t);
            }
            target.Write(block, targets[t], count, t);
            if (isWatched)
            {
                block.Copies.Begin(t, target, targets[t], source, reads ? sources[t] : -1, count);
                continue;
            }
            // Where nobody watches, copies arrive at once.
            Span<byte> place = targetBytes.Slice((int)(targets[t] * bytes), count * bytes);
            if (reads)
            {
                Move(sourceBytes.Slice((int)(sources[t] * bytes), place.Length), place);
            }
            else
            {
                place.Clear();
            }
        }
    }

    // Four bytes and sixteen are nearly all that is copied.
    private static void Move(ReadOnlySpan<byte> from, Span<byte> to)
    {
        if (to.Length == sizeof(uint))
        {
            MemoryMarshal.Write(to, MemoryMarshal.Read<uint>(from));
        }
        else if (to.Length == Vector128<byte>.Count)
        {
            MemoryMarshal.Write(to, MemoryMarshal.Read<Vector128<byte>>(from));
        }
        else
        {
            from.CopyTo(to);
        }
    }

    // Counts are powers of two, but for what is wrong anyway.
    private bool IsMultiple(long index) => BitOperations.IsPow2(count) ? (index & (count - 1)) == 0 : index % count == 0;
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
        int end = block.IsWatched ? block.Active.High : 0; // where nobody watches, copies have arrived
        for (int t = block.Active.Low; t < end; t++)
        {
            if (block.Active[t])
            {
                block.Copies.Wait(t, pending);
            }
        }
    }
}
