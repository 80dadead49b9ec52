namespace Graphene.Codegen;

/// <summary>All threads begin phase 0 of barriers.</summary>
internal sealed class PhaseInitStep(KPhaseBarriers barriers) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireAll();
        block.Phases.Begin(barriers);
    }
}

/// <summary>Warps arrive.</summary>
internal sealed class PhaseArriveStep(KPhaseBarriers barriers, SimtSlot index, int bytes) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        foreach (int warp in block.ActiveWarps())
        {
            block.Phases.Arrive(barriers, block.OfWarp(index, warp, "a barrier"), warp, bytes);
        }
    }
}

/// <summary>Warps wait for a phase.</summary>
internal sealed class PhaseWaitStep(int number, KPhaseBarriers barriers, SimtSlot index, SimtSlot parity) : SimtStep
{
    public override bool MayWait => true;

    public override void Run(SimtBlock block)
    {
        SimtWait wait = Begin(block);
        if (!wait.IsOver())
        {
            throw block.Bug($"nobody is left who could end what is waited for: {wait.Lack()}");
        }
        wait.Pass();
    }

    public override IEnumerable<SimtWait> Walk(SimtBlock block)
    {
        SimtWait wait = Begin(block);
        if (!wait.IsOver())
        {
            yield return wait;
        }
        wait.Pass();
    }

    private SimtWait Begin(SimtBlock block)
    {
        block.RequireWarps();
        var waits = new List<(int Warp, long Index, long Parity)>();
        foreach (int warp in block.ActiveWarps())
        {
            long p = block.OfWarp(parity, warp, "a parity");
            if (p is not (0 or 1))
            {
                throw block.Bug($"warp {warp} waits for parity {p}, which is not 0 or 1");
            }
            waits.Add((warp, block.OfWarp(index, warp, "a barrier"), p));
        }
        return new SimtWait(
            number,
            () => waits.TrueForAll(w => block.Phases.IsOver(barriers, w.Index, w.Parity)),
            () => waits.ForEach(w => block.Phases.Pass(barriers, w.Index, w.Warp)),
            () => block.Phases.Lack(barriers, waits.Find(w => !block.Phases.IsOver(barriers, w.Index, w.Parity)).Index));
    }
}

/// <summary>What some warps wait for.</summary>
/// <param name="Statement">The number of the statement that waits.</param>
/// <param name="IsOver">Whether it has come.</param>
/// <param name="Pass">To be called when it has.</param>
/// <param name="Lack">What it lacks.</param>
internal sealed record SimtWait(int Statement, Func<bool> IsOver, Action Pass, Func<string> Lack);

/// <summary>Warps in their roles: each goes on until it waits for what has not come, then the next one.</summary>
internal sealed class RolesStep(int number, (int First, int End, SimtStep Body)[] roles, int masks) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.Statement = number;
        block.RequireAll();
        SimtMask all = block.Active;
        var runs = new List<RoleRun>();
        for (int i = 0; i < roles.Length; i++)
        {
            SimtMask mask = block.Mask(masks + i);
            mask.SetWarps(roles[i].First, roles[i].End);
            runs.Add(new RoleRun(roles[i].Body.Walk(block).GetEnumerator(), mask));
        }
        while (runs.Count > 0)
        {
            if (!runs.Any(r => r.MayGoOn))
            {
                block.Statement = runs[0].Wait!.Statement;
                throw block.Bug("a deadlock: " + string.Join("; ", runs.Select(
                    r => $"warps {r.Mask.Low / KThreads.WarpSize} to {(r.Mask.High / KThreads.WarpSize) - 1} wait in "
                        + $"{block.Describe(r.Wait!.Statement)}, and {r.Wait.Lack()}")));
            }
            runs.RemoveAll(r => r.MayGoOn && !r.GoOn(block));
        }
        block.Active = all;
        block.Statement = number;
    }

    private sealed class RoleRun(IEnumerator<SimtWait> steps, SimtMask mask)
    {
        private SimtMask? _active;

        public SimtMask Mask => mask;

        public SimtWait? Wait { get; private set; }

        public bool MayGoOn => Wait is null || Wait.IsOver();

        /// <summary>Goes on to the next wait; false at the end.</summary>
        public bool GoOn(SimtBlock block)
        {
            block.Active = _active ?? mask;
            block.Statement = Wait?.Statement ?? block.Statement;
            bool goesOn = steps.MoveNext();
            Wait = goesOn ? steps.Current : null;
            _active = block.Active;
            return goesOn;
        }
    }
}
