namespace Graphene.Optimizer;

/// <summary>
/// Which loops that do not wait for each other may run at the same time (<see cref="WhileStep.Beside"/>).
/// </summary>
/// <remarks>
/// A thread that has a loop to itself goes through all rounds without waiting for others, and finds what the rounds read
/// again in its own cache. It pays where rounds are a few small kernels: threads that share each of those wait for each
/// other after each.
/// </remarks>
/// <param name="CacheInBytes">
/// The cache that each thread has for itself: rounds may read again no more than that.
/// </param>
public sealed record LoopSharing(long CacheInBytes)
{
    /// <summary>
    /// The least operations of a round, by estimate. About what a microsecond computes: less is not worth a call.
    /// </summary>
    public double LeastWork { get; init; } = 20_000;

    /// <summary>
    /// How much more the round of one loop may cost than that of another: who is done first only waits.
    /// </summary>
    public double LargestRatio { get; init; } = 1.25;

    /// <summary>
    /// The most bytes of what a loop needs and is therefore computed earlier. Larger sequences have larger steps.
    /// </summary>
    public long MostBytesEarlier { get; init; } = 8 << 20;
}
