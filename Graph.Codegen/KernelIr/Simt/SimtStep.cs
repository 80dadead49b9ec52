namespace Graphene.Codegen;

/// <summary>A step of a kernel with threads, which serves all active threads of a task.</summary>
internal abstract class SimtStep
{
    /// <summary>Runs it for the active threads, of which there is at least one.</summary>
    public abstract void Run(SimtBlock block);
}

/// <summary>A step that computes each element of a value from the same element of others, and may do so for threads that are not active.</summary>
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
    public override void Run(SimtBlock block)
    {
        foreach (SimtStep step in steps)
        {
            step.Run(block);
        }
    }
}

/// <summary>What computes the expressions of a statement, and then does what the statement does.</summary>
/// <param name="number">The number of the statement, for messages.</param>
/// <param name="steps">The steps.</param>
internal sealed class SimtStatement(int number, SimtStep[] steps) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        foreach (SimtStep step in steps)
        {
            step.Run(block);
        }
    }
}
