namespace Graphene.Codegen;

/// <summary>Threads read or write a register that products add to.</summary>
internal sealed class SumTouchStep(SimtSlot sum, string does) : SimtStep
{
    public override void Run(SimtBlock block) => block.Products.Touch(sum, does);
}

/// <summary>Products see what was done to registers.</summary>
internal sealed class WarpgroupFenceStep : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarpgroups();
        block.Products.Fence();
    }
}

/// <summary>Warpgroups make groups of their products.</summary>
internal sealed class WarpgroupCommitStep : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarpgroups();
        block.Products.Commit();
    }
}

/// <summary>Warpgroups wait for their products.</summary>
internal sealed class WarpgroupWaitStep(int pending, SimtSlot[] sums) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarpgroups();
        block.Products.Wait(pending, sums);
    }
}
