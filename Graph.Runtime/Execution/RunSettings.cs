namespace Graphene.Runtime;

/// <summary>How one run is made.</summary>
/// <param name="Pool">The threads that may help.</param>
/// <param name="MaxThreads">The most threads, the caller's included; 0 means as many as the pool has.</param>
/// <param name="PrintOutput">Where prints go; null for the standard error stream, which takes milliseconds to make.</param>
/// <param name="Cancellation">Stops the run.</param>
internal readonly record struct RunSettings(
    ComputePool Pool, int MaxThreads, TextWriter? PrintOutput, CancellationToken Cancellation)
{
    /// <summary>Receives the times of kernel calls.</summary>
    public KernelProfile? Profile { get; init; }

    /// <summary>Whether constants may move to huge pages after some runs.</summary>
    public bool HugePages { get; init; }

    /// <summary>Where inputs and outputs are; null for the host's memory. Others only for programs that have a device.</summary>
    public MemoryPlaces? Places { get; init; }

    /// <summary>Receives the values of taps by name.</summary>
    public Action<string, Literal>? TapOutput { get; init; }
}
