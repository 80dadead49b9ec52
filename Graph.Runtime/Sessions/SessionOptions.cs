using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Runtime;

/// <summary>How a session works.</summary>
public sealed record SessionOptions
{
    /// <summary>The most threads that work on one run, the caller's included; 0 means as many as the pool has.</summary>
    public int MaxThreads { get; init; }

    /// <summary>The threads that help; the process's own pool by default.</summary>
    public ComputePool? Pool { get; init; }

    /// <summary>The most compiled plans that are kept; the one used longest ago makes room.</summary>
    public int MaxPlans { get; init; } = 32;

    /// <summary>Receives what is compiled and why.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Where the graph's prints go; the standard error stream by default.</summary>
    public TextWriter? PrintOutput { get; init; }

    /// <summary>Receives the values of the graph's taps (<see cref="Tensor.Tap"/>) by name, while it runs.</summary>
    public Action<string, Literal>? TapOutput { get; init; }

    /// <summary>
    /// Whether a run fails when a value becomes NaN or infinite: the error names the first op that made one, its inputs and its
    /// line. Costs a pass over every tensor.
    /// </summary>
    public bool DebugNumerics { get; init; }

    /// <summary>
    /// Whether constants that are pages of a file, from 128 MiB on, move to huge pages of memory after a few runs, which reads them up
    /// to twice as fast. Processes that run the same model then no longer share them. Linux only.
    /// </summary>
    public bool HugePages { get; init; } = true;

    internal SessionOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPlans, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxThreads);
        return this;
    }

    internal RunSettings Settings(CancellationToken cancellation) =>
        new(Pool ?? ComputePool.Shared, MaxThreads, PrintOutput, cancellation) { TapOutput = TapOutput, HugePages = HugePages };
}
