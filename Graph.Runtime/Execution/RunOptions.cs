namespace Graphene.Runtime;

/// <summary>How a program is run.</summary>
public sealed record RunOptions
{
    /// <summary>The defaults: all threads of the process's pool, prints to the standard error stream.</summary>
    public static RunOptions Default { get; } = new();

    /// <summary>The most threads that work on one run, the caller's included; 0 means as many as the pool has.</summary>
    public int MaxThreads { get; init; }

    /// <summary>The threads that help; the process's own pool by default.</summary>
    public ComputePool? Pool { get; init; }

    /// <summary>Where the graph's prints go; the standard error stream by default.</summary>
    public TextWriter? PrintOutput { get; init; }

    /// <summary>Receives the times of kernel calls, from code that was compiled to be profiled.</summary>
    public KernelProfile? Profile { get; init; }

    /// <summary>Receives the values of the graph's taps (<see cref="Tensor.Tap"/>) by name, while it runs.</summary>
    public Action<string, Literal>? TapOutput { get; init; }

    /// <summary>As <see cref="SessionOptions.HugePages"/>.</summary>
    public bool HugePages { get; init; } = true;

    internal RunSettings Settings(CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(MaxThreads);
        return new RunSettings(Pool ?? ComputePool.Shared, MaxThreads, PrintOutput, cancellation)
        {
            Profile = Profile,
            TapOutput = TapOutput,
            HugePages = HugePages,
        };
    }
}
