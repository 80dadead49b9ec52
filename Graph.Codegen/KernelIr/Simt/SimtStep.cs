namespace Graphene.Codegen;

/// <summary>A step of a kernel with threads, which serves all active threads of a task.</summary>
internal abstract class SimtStep
{
    /// <summary>Runs it for the active threads, of which there is at least one.</summary>
    public abstract void Run(SimtBlock block);

    /// <summary>Whether it may have to wait for other warps.</summary>
    public virtual bool MayWait => false;

    /// <summary>Runs it in parts: it stops for whatever has not come yet, and is to go on when it has.</summary>
    public virtual IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        Run(block);
        yield break;
    }
}

/// <summary>
/// A step that computes each element of a value from the same element of others, and may do so for threads
/// that are not active.
/// </summary>
internal abstract class ElementwiseStep(SimtSlot result) : SimtStep
{
    /// <summary>The value that is computed.</summary>
    protected SimtSlot Result => result;

    public sealed override void Run(SimtBlock block)
    {
        SimtMask active = block.Active;
        if (result.IsUniform || active.Reach == block.Threads)
        {
            Apply(block, 0, result.Count(block.Threads));
            return;
        }
        for (int lane = 0; lane < result.Type.Lanes; lane++)
        {
            Apply(block, (lane * block.Threads) + active.Low, active.Reach);
        }
    }

    /// <summary>Computes some neighbouring elements.</summary>
    protected abstract void Apply(SimtBlock block, int start, int count);
}

/// <summary>Steps in order.</summary>
internal sealed class SimtSequence(SimtStep[] steps) : SimtStep
{
    public override bool MayWait { get; } = steps.Any(s => s.MayWait);

    public override void Run(SimtBlock block)
    {
        foreach (SimtStep step in steps)
        {
            step.Run(block);
        }
    }

    public override IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        foreach (SimtStep step in steps)
        {
            if (!step.MayWait)
            {
                step.Run(block);
                continue;
            }
            foreach (SimtWait wait in step.Walk(block))
            {
                yield return wait;
            }
        }
    }
}

/// <summary>What computes the expressions of a statement, and then does what the statement does.</summary>
/// <param name="number">The number of the statement, for messages.</param>
/// <param name="steps">The steps.</param>
internal sealed class SimtStatement(int number, SimtStep[] steps) : SimtStep
{
    private readonly SimtSequence _sequence = new(steps);

    public override bool MayWait => _sequence.MayWait;

    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in steps)
        {
            step.Run(block);
        }
    }

    public override IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        block.Statement = number;
        return _sequence.Walk(block);
    }
}
