namespace Graphene.Runtime;

/// <summary>How a bundle is loaded, and how its functions run.</summary>
public sealed record CompiledGraphOptions
{
    /// <summary>The defaults: everything is verified, anybody's bundle is loaded, runs use all threads of the process's pool.</summary>
    public static CompiledGraphOptions Default { get; } = new();

    /// <summary>
    /// Public keys in PEM form (<c>-----BEGIN PUBLIC KEY-----</c>), of whose owners one must have signed the bundle. Empty: the bundle
    /// need not be signed, and whoever can write the file decides what this process runs.
    /// </summary>
    public IReadOnlyList<string> TrustedKeys { get; init; } = [];

    /// <summary>
    /// Whether <see cref="CompiledGraph.FileStamp"/> says which file was loaded; asking the file system for that takes milliseconds in a
    /// new process.
    /// </summary>
    public bool TakesStamp { get; init; }

    /// <summary>
    /// What <see cref="CompiledGraph.FileStamp"/> said when the same file was loaded before: if the system vouches that the file has not
    /// changed since, its constants are mapped without reading them. Code is verified every time.
    /// </summary>
    public string? VerifiedStamp { get; init; }

    /// <summary>
    /// Whether constants are compared with their hash, which reads them all. Turn it off only where something else vouches for the file,
    /// such as a verified file system or a container image. Code is verified every time.
    /// </summary>
    public bool VerifyConstants { get; init; } = true;

    /// <summary>
    /// The GPU to run on, which is disposed after the graph; null for the processor. A bundle may have code for both: of that for GPUs
    /// the best that this one can run is loaded.
    /// </summary>
    public GpuDevice? Gpu { get; init; }

    /// <summary>The variant to load, by name; null for the best that the processor or GPU can run.</summary>
    public string? Variant { get; init; }

    /// <summary>The most threads that work on one run, the caller's included; 0 means as many as the pool has.</summary>
    public int MaxThreads { get; init; }

    /// <summary>The threads that help; the process's own pool by default.</summary>
    public ComputePool? Pool { get; init; }

    internal RunOptions Running => MaxThreads == 0 && Pool is null
        ? RunOptions.Default
        : new RunOptions { MaxThreads = MaxThreads, Pool = Pool };
}
