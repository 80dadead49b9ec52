using System.Diagnostics;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>A process of its own that loads bundles: what it needs, and what it does to its machine.</summary>
internal static class BundleProcess
{
    /// <summary>The argument that starts it; a bundle without state follows, and how many times to load it.</summary>
    public const string Command = "run-bundle";

    /// <summary>Loads the bundle so often, runs each and says what came out and what is in the process.</summary>
    public static int Run(string path, string times)
    {
        var graphs = new List<CompiledGraph>();
        int threadsBefore = Threads();
        for (int i = 0; i < int.Parse(times, System.Globalization.CultureInfo.InvariantCulture); i++)
        {
            graphs.Add(CompiledGraph.Load(path));
            var fed = new Dictionary<string, Feed> { ["x"] = new float[] { 1, 2, 3, 4 } };
            float[] y = graphs[^1].Program().Run(fed)[0].As<float>().ToArray();
            if (i == 0)
            {
                Console.WriteLine($"y {string.Join(' ', y)}");
                threadsBefore = Math.Max(threadsBefore, Threads());
            }
        }
        Console.WriteLine($"width {ComputePool.Shared.Width}");
        Console.WriteLine($"threads {Threads() - threadsBefore}");
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        Thread.Sleep(300);
        Console.WriteLine($"idle {(Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds:F0}");
        Console.WriteLine($"llvm {Mapped("libLLVM")}");
        Console.WriteLine($"compiler {Loaded("Graphene.Codegen")}");
        Console.WriteLine($"logging {Loaded("Microsoft.Extensions.Logging.Abstractions")}");
        Console.WriteLine($"openssl {Mapped("libcrypto")}");
        graphs.ForEach(g => g.Dispose());
        Console.WriteLine($"live {NativeBlock.LiveBytes}");
        return 0;
    }

    private static string Mapped(string library)
    {
        const string maps = "/proc/self/maps";
        bool isMapped = File.Exists(maps) && File.ReadAllText(maps).Contains(library, StringComparison.Ordinal);
        return isMapped ? "mapped" : "absent";
    }

    private static string Loaded(string assembly) =>
        AppDomain.CurrentDomain.GetAssemblies().Any(a => a.GetName().Name == assembly) ? "loaded" : "absent";

    /// <summary>Starts it.</summary>
    /// <param name="path">A bundle.</param>
    /// <param name="times">How often to load it.</param>
    /// <param name="prefix">What to start it with, such as taskset.</param>
    /// <returns>What it said, by word.</returns>
    public static Dictionary<string, string> Start(string path, int times, params string[] prefix)
    {
        string host = Environment.ProcessPath is { } p && Path.GetFileNameWithoutExtension(p) == "dotnet" ? p : "dotnet";
        string[] command = [.. prefix, host, typeof(BundleProcess).Assembly.Location, Command, path, $"{times}"];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        start.Environment["GRAPHENE_LLVM_PATH"] = "/nowhere";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .ToDictionary(l => l[..l.IndexOf(' ')], l => l[(l.IndexOf(' ') + 1)..])
            : throw new InvalidOperationException($"exit status {process.ExitCode}: {error.Result}");
    }

    private static int Threads() => Directory.Exists("/proc/self/task") ? Directory.GetDirectories("/proc/self/task").Length : 0;
}
