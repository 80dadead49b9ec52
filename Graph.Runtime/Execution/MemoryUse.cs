namespace Graphene.Runtime;

/// <summary>The native memory that a compiled plan takes, in bytes, by purpose: known before it runs, and exact.</summary>
/// <remarks>
/// Machine code and the fixed memory of the thread pool are not counted, nor is what the caller owns: memory given to
/// <see cref="BoundCall.UseInput{T}"/> or to <see cref="Callable"/> as spans takes the place of <see cref="Inputs"/> and
/// <see cref="Outputs"/>. For a GPU it is memory of the device.
/// </remarks>
public sealed record MemoryUse
{
    /// <summary>Values between the first kernel and the last: scratch of each run that is in progress, kept for the next.</summary>
    public long Arena { get; init; }

    /// <summary>The addresses that code works with, once for each arena.</summary>
    public long Tables { get; init; }

    /// <summary>Weights and other constants: in memory, or in a mapped file of the disk cache.</summary>
    public long Constants { get; init; }

    /// <summary>The present values of the variables that are read or assigned; all plans of a session share them.</summary>
    public long Variables { get; init; }

    /// <summary>Where the next values of assigned variables are written, so that a run that fails changes nothing; shared too.</summary>
    public long NextValues { get; init; }

    /// <summary>What is fed.</summary>
    public long Inputs { get; init; }

    /// <summary>What is fetched.</summary>
    public long Outputs { get; init; }

    /// <summary>All of it, for one run at a time.</summary>
    public long Total => Arena + Tables + Constants + Variables + NextValues + Inputs + Outputs;
}
