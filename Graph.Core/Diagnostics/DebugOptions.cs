using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>Every GRAPHENE_* switch, read once; code asks this record, never the environment.</summary>
/// <remarks>
/// Switches change what is logged, dumped, cached or left out. None changes the meaning of a graph, so a report from a user
/// can be followed with any of them set.
/// </remarks>
public sealed record DebugOptions
{
    /// <summary>The most threads that <see cref="Threads"/> may ask for.</summary>
    public const int MaxThreads = 1024;

    private const string ThreadsName = "GRAPHENE_THREADS";
    private const string PerfMapName = "GRAPHENE_PERF_MAP";

    /// <summary>No switch set.</summary>
    public static DebugOptions None { get; } = new();

    /// <summary>
    /// GRAPHENE_DUMP: the folder that receives numbered IR text, with a .dot beside it, after each pass
    /// that changed something.
    /// </summary>
    public string? DumpFolder { get; init; }

    /// <summary>GRAPHENE_DUMP_PASSES: only passes whose name matches this regular expression are dumped.</summary>
    public NamePattern? DumpPasses { get; init; }

    /// <summary>GRAPHENE_DISABLE: names of passes to skip, separated by commas.</summary>
    public ImmutableArray<string> DisabledPasses
    {
        get => ImmutableCollectionsMarshal.AsImmutableArray(DisabledPassTable);
        init => DisabledPassTable = ImmutableCollectionsMarshal.AsArray(value) ?? [];
    }

    /// <summary>GRAPHENE_TIMING=1: log what each pass took.</summary>
    public bool Timing { get; init; }

    /// <summary>GRAPHENE_STOP_AFTER: the number of rewrites after which no rule fires any more; bisecting varies it.</summary>
    public long? StopAfter { get; init; }

    /// <summary>GRAPHENE_VERIFY=1 or 0: check the graph after each pass; by default in debug builds only.</summary>
    public bool? Verify { get; init; }

    /// <summary>GRAPHENE_CACHE_DIR: where compiled code is kept; an empty value turns the cache off.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>GRAPHENE_LLVM_PATH: a libLLVM, or the folder that it is in, used instead of searching for one.</summary>
    public string? LlvmPath { get; init; }

    /// <summary>GRAPHENE_LLD_PATH: the linker of shared libraries, used instead of searching for one.</summary>
    public string? LldPath { get; init; }

    /// <summary>GRAPHENE_WASM_LD: the linker of WebAssembly modules, used instead of searching for one.</summary>
    public string? WasmLdPath { get; init; }

    /// <summary>GRAPHENE_CUDA_PATH: the library of the CUDA driver, used instead of searching for it.</summary>
    public string? CudaPath { get; init; }

    /// <summary>GRAPHENE_CACHE=0: keep no compiled code on disk.</summary>
    public bool? Cache { get; init; }

    /// <summary>GRAPHENE_THREADS: how wide the thread pool of the process is; by default what the process may use.</summary>
    public int? Threads { get; init; }

    /// <summary>GRAPHENE_PERF_MAP: whether loaded kernels are named in the file that Linux's perf reads (<c>perf-PID.map</c>).</summary>
    public bool PerfMap { get; init; }

    /// <summary>Reads the switches of this process.</summary>
    /// <exception cref="GraphException">GR1950: a switch has a value that cannot be used.</exception>
    public static DebugOptions FromEnvironment() => Read(Environment.GetEnvironmentVariable);

    /// <summary>GRAPHENE_PERF_MAP alone: all that loading code asks, and reading the others would take a start a millisecond.</summary>
    /// <exception cref="GraphException">GR1950: it has a value that cannot be used.</exception>
    internal static bool PerfMapFromEnvironment() => Environment.GetEnvironmentVariable(PerfMapName) is { } value
        && IsOn(PerfMapName, value);

    /// <summary>GRAPHENE_THREADS alone: all that the pool of threads asks.</summary>
    /// <exception cref="GraphException">GR1950: it has a value that cannot be used.</exception>
    internal static int? ThreadsFromEnvironment() => ThreadCount(ThreadsName, NotEmpty(Environment.GetEnvironmentVariable(ThreadsName)));

    /// <summary>Reads the switches from a table of variables.</summary>
    /// <param name="variable">Gives a variable's value; null when it is not set.</param>
    /// <exception cref="GraphException">GR1950: a switch has a value that cannot be used.</exception>
    public static DebugOptions Read(Func<string, string?> variable) => new()
    {
        DumpFolder = NotEmpty(variable("GRAPHENE_DUMP")),
        DumpPasses = NotEmpty(variable("GRAPHENE_DUMP_PASSES")) is { } pattern ? Pattern("GRAPHENE_DUMP_PASSES", pattern) : null,
        DisabledPassTable = (variable("GRAPHENE_DISABLE") ?? "").Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        Timing = Flag("GRAPHENE_TIMING", NotEmpty(variable("GRAPHENE_TIMING"))) ?? false,
        StopAfter = Count("GRAPHENE_STOP_AFTER", NotEmpty(variable("GRAPHENE_STOP_AFTER"))),
        Verify = Flag("GRAPHENE_VERIFY", NotEmpty(variable("GRAPHENE_VERIFY"))),
        CacheFolder = variable("GRAPHENE_CACHE_DIR"),
        Cache = Flag("GRAPHENE_CACHE", NotEmpty(variable("GRAPHENE_CACHE"))),
        Threads = ThreadCount(ThreadsName, NotEmpty(variable(ThreadsName))),
        LlvmPath = NotEmpty(variable("GRAPHENE_LLVM_PATH")),
        LldPath = NotEmpty(variable("GRAPHENE_LLD_PATH")),
        WasmLdPath = NotEmpty(variable("GRAPHENE_WASM_LD")),
        CudaPath = NotEmpty(variable("GRAPHENE_CUDA_PATH")),
        PerfMap = Flag(PerfMapName, NotEmpty(variable(PerfMapName))) ?? false,
    };

    // An array, because every process that runs anything reads these switches, and types of immutable ones take long to load.
    private string[] DisabledPassTable { get => field ?? []; init; }

    private static bool IsOn(string name, string value) => Flag(name, NotEmpty(value)) ?? false;

    private static string? NotEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;

    private static bool? Flag(string name, string? value) => value?.Trim().ToUpperInvariant() switch
    {
        null => null,
        "1" or "TRUE" or "YES" or "ON" => true,
        "0" or "FALSE" or "NO" or "OFF" => false,
        _ => throw Unusable(name, value, "it is a switch", "set it to 1 or 0"),
    };

    private static long? Count(string name, string? value)
    {
        if (value is null)
        {
            return null;
        }
        return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            ? count
            : throw Unusable(name, value, "it counts rewrites", "set it to a whole number, 0 or more");
    }

    private static int? ThreadCount(string name, string? value)
    {
        if (value is null)
        {
            return null;
        }
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= MaxThreads
            ? count
            : throw Unusable(name, value, "it is a number of threads", $"set it to 1..{MaxThreads}, or unset it");
    }

    private static NamePattern Pattern(string name, string value)
    {
        try
        {
            return new NamePattern(value);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Unusable(name, value, e.Message, "write a regular expression without look-around, for example ^fusion$");
        }
    }

    private static GraphException Unusable(string name, string value, string why, string fix) =>
        new(DiagnosticId.BadSwitch, $"{name}: '{value}' cannot be used", where: $"environment variable {name}", why: why, fix: fix);
}
