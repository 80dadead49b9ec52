namespace Graphene.Hosting;

/// <summary>Where a model comes from, and how it is loaded and replaced. One named instance for each model.</summary>
public sealed class GrapheneModelOptions
{
    // File systems and kernels count time in ticks of up to 10 ms: what is quiet for two of them was not written within one.
    internal static readonly TimeSpan ShortestQuietTime = TimeSpan.FromMilliseconds(20);

    internal static readonly TimeSpan ShortestPollInterval = TimeSpan.FromMilliseconds(20);

    internal static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    /// <summary>The bundle, as <c>graphene compile</c> or the build wrote it.</summary>
    /// <remarks>
    /// A relative path starts at the host's content root. A typed model that was given no path is read from the folder of the
    /// application, where the build puts its bundle.
    /// </remarks>
    public string? Path { get; set; }

    /// <summary>Whether a changed file takes the place of the model while the service runs.</summary>
    /// <remarks>
    /// The model is then read from a private copy of the file, so that nothing which happens to the file can reach a version that is
    /// in use. Without it the file is mapped where it lies, and must not be written to in place while the service runs.
    /// </remarks>
    public bool Reload { get; set; }

    /// <summary>How often the file is looked at where the system reports no changes, as on network file systems. 5 seconds.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a changed file must stay as it is before it is loaded. 250 milliseconds.</summary>
    /// <remarks>Longer than the clock of the file system ticks: a few seconds where it keeps whole seconds.</remarks>
    public TimeSpan QuietTime { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The folder for private copies; the system's folder for temporary files when null.</summary>
    public string? CopyFolder { get; set; }

    /// <summary>The NVIDIA GPU to run on, by its number as the driver counts them, from 0; the processor when null.</summary>
    /// <remarks>
    /// The bundle must have code for it (<c>graphene compile --target nvptx:sm_90a</c>); one with code for processors as well serves
    /// both. Models of a service on one GPU share it. A change counts from the next version on that is loaded.
    /// </remarks>
    public int? Gpu { get; set; }

    /// <summary>Whether the host starts while the model is still being loaded.</summary>
    /// <remarks>
    /// By default the host has started when the model has. A model that takes long to load can be loaded in the background instead, with
    /// the health check saying that it is not ready; when it cannot be loaded, the host stops.
    /// </remarks>
    public bool LoadInBackground { get; set; }

    /// <summary>Whether each version runs once before it answers requests. True.</summary>
    public bool WarmUp { get; set; } = true;

    /// <summary>Sizes of symbolic dimensions by name for the run on zeros; the others are 1, or the least that they can be.</summary>
    public IDictionary<string, long> WarmUpDims { get; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Checks everything that can be known without touching the model's file.</summary>
    /// <param name="model">The name of the model, for the error.</param>
    /// <exception cref="GraphException">GR8001: something is wrong.</exception>
    public void Validate(string model)
    {
        if (string.IsNullOrWhiteSpace(Path))
        {
            throw Bad(model, "no file was given", "call FromFile, or set Path");
        }
        RequireTime(model, nameof(PollInterval), PollInterval, ShortestPollInterval);
        RequireTime(model, nameof(QuietTime), QuietTime, ShortestQuietTime);
        if (CopyFolder is not null && !Directory.Exists(CopyFolder))
        {
            throw Bad(model, $"{nameof(CopyFolder)} is '{CopyFolder}', and there is no such folder", "name a folder that exists");
        }
        if (Gpu < 0)
        {
            throw Bad(model, $"{nameof(Gpu)} is {Gpu}", "GPUs are counted from 0; leave it out for the processor");
        }
        foreach ((string dim, long size) in WarmUpDims)
        {
            if (size < 0)
            {
                throw Bad(model, $"{nameof(WarmUpDims)} gives '{dim}' the size {size}", "sizes are 0 or more");
            }
        }
    }

    internal static GraphException Bad(string model, string what, string fix, string? where = null) =>
        new(HostingDiagnostics.BadOptions, $"model '{model}': {what}", where: where, fix: fix);

    private static void RequireTime(string model, string name, TimeSpan value, TimeSpan least)
    {
        if (value < least || value > LongestTime)
        {
            throw Bad(model, $"{name} is {value}", $"choose from {least} to {LongestTime}");
        }
    }
}
