namespace Graphene.Codegen;

/// <summary>Runs one of two blocks, or both, each for the threads that chose it.</summary>
internal sealed class IfStep(int number, SimtStep[] compute, SimtSlot condition, SimtStep then, SimtStep? otherwise, int mask) : SimtStep
{
    public override bool MayWait => then.MayWait || otherwise is { MayWait: true };

    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in compute)
        {
            step.Run(block);
        }
        Span<byte> holds = block.Values<byte>(condition);
        if (condition.IsUniform)
        {
            (holds[0] != 0 ? then : otherwise)?.Run(block);
            return;
        }
        SimtMask outer = block.Active;
        (SimtMask first, SimtMask second) = (block.Mask(mask), block.Mask(mask + 1));
        first.Set(outer, holds, 1);
        second.Set(outer, holds, 0);
        if (first.Count > 0)
        {
            block.Active = first;
            then.Run(block);
        }
        if (second.Count > 0 && otherwise is not null)
        {
            block.Active = second;
            otherwise.Run(block);
        }
        block.Active = outer;
    }

    // Threads of one role that go two ways wait one after the other.
    public override IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in compute)
        {
            step.Run(block);
        }
        byte[] holds = block.Values<byte>(condition).ToArray();
        SimtMask outer = block.Active;
        foreach ((SimtStep? branch, byte wanted) in new[] { ((SimtStep?)then, (byte)1), (otherwise, (byte)0) })
        {
            SimtMask active = outer;
            if (condition.IsUniform)
            {
                if (holds[0] != wanted)
                {
                    continue;
                }
            }
            else
            {
                active = block.Mask(wanted == 1 ? mask : mask + 1);
                active.Set(outer, holds, wanted);
            }
            if (branch is not null && active.Count > 0)
            {
                block.Active = active;
                foreach (SimtWait wait in branch.Walk(block))
                {
                    yield return wait;
                }
            }
        }
        block.Active = outer;
    }
}

/// <summary>A counted loop whose bounds are the same for all threads.</summary>
internal sealed class UniformForStep(
    int number, SimtStep[] compute, SimtSlot counter, SimtSlot begin, SimtSlot end, long by, SimtStep body) : SimtStep
{
    public override bool MayWait => body.MayWait;

    public override IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in compute)
        {
            step.Run(block);
        }
        long last = block.Values<long>(end)[0];
        for (long i = block.Values<long>(begin)[0]; i < last; i = checked(i + by))
        {
            block.Values<long>(counter)[0] = i;
            foreach (SimtWait wait in body.Walk(block))
            {
                yield return wait;
            }
        }
    }

    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in compute)
        {
            step.Run(block);
        }
        long last = block.Values<long>(end)[0];
        for (long i = block.Values<long>(begin)[0]; i < last; i = checked(i + by))
        {
            block.Values<long>(counter)[0] = i;
            body.Run(block);
        }
    }
}

/// <summary>A counted loop with bounds of each thread: it goes on for those that are not done.</summary>
internal sealed class ThreadForStep(
    int number, SimtStep[] compute, SimtSlot counter, SimtSlot begin, SimtSlot end, long by, SimtStep body, int mask) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in compute)
        {
            step.Run(block);
        }
        SimtMask outer = block.Active;
        SimtMask inner = block.Mask(mask);
        Span<long> at = block.Values<long>(counter);
        ReadOnlySpan<long> last = block.Values<long>(end);
        block.Values<long>(begin).CopyTo(at);
        var goesOn = new byte[block.Threads];
        Continue(at, last, goesOn);
        inner.Set(outer, goesOn, 1);
        while (inner.Count > 0)
        {
            block.Active = inner;
            body.Run(block);
            for (int t = inner.Low; t < inner.High; t++)
            {
                at[t] = unchecked(at[t] + by);
            }
            Continue(at, last, goesOn);
            inner.Set(inner, goesOn, 1);
        }
        block.Active = outer;
    }

    private static void Continue(ReadOnlySpan<long> at, ReadOnlySpan<long> last, Span<byte> goesOn)
    {
        for (int t = 0; t < at.Length; t++)
        {
            goesOn[t] = at[t] < last[t] ? (byte)1 : (byte)0;
        }
    }
}

/// <summary>Repeats for the threads whose condition holds, until there is none.</summary>
internal sealed class ThreadWhileStep(int number, SimtStep[] compute, SimtSlot condition, SimtStep body, int mask) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        SimtMask outer = block.Active;
        while (true)
        {
            block.Statement = number;
            foreach (SimtStep step in compute)
            {
                step.Run(block);
            }
            Span<byte> holds = block.Values<byte>(condition);
            if (condition.IsUniform ? holds[0] == 0 : !Narrow(block, block.Mask(mask), holds))
            {
                break;
            }
            body.Run(block);
        }
        block.Active = outer;
    }

    private static bool Narrow(SimtBlock block, SimtMask inner, ReadOnlySpan<byte> holds)
    {
        inner.Set(block.Active, holds, 1);
        if (inner.Count > 0)
        {
            block.Active = inner;
        }
        return inner.Count > 0;
    }
}
