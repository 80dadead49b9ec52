namespace Graphene.Codegen;

/// <summary>What the warps that arrived at a phase knew of what was done before: see <see cref="RaceClock"/>.</summary>
internal sealed class PhaseClock
{
    private readonly uint[] _passed = new uint[RaceClock.Copier + 1];

    /// <summary>The epoch that it is about; before it everything is in order.</summary>
    public uint Epoch { get; private set; }

    /// <summary>How many barriers of its own a warp is known to have passed in the epoch.</summary>
    public uint Passed(int warp) => _passed[warp];

    /// <summary>Forgets what an earlier epoch was about.</summary>
    public void Begin(uint epoch)
    {
        if (Epoch != epoch)
        {
            Epoch = epoch;
            Array.Clear(_passed);
        }
    }

    /// <summary>Learns how many barriers of its own a warp has passed.</summary>
    public void Learn(int warp, uint passed) => _passed[warp] = Math.Max(_passed[warp], passed);

    /// <summary>Learns what a warp knows of all.</summary>
    public void Learn(uint[] known)
    {
        for (int warp = 0; warp < known.Length; warp++)
        {
            Learn(warp, known[warp]);
        }
    }
}
