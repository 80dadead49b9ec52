using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>NVIDIA's assembler, where it is installed: from <c>GRAPHENE_PTXAS</c>, or on the path.</summary>
internal static partial class Ptxas
{
    private static readonly string? Program = Environment.GetEnvironmentVariable("GRAPHENE_PTXAS") is { Length: > 0 } named ? named
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "ptxas")).FirstOrDefault(File.Exists);

    /// <summary>Skips the test where there is no assembler.</summary>
    public static void Require()
    {
        if (Program is null)
        {
            Assert.Ignore("ptxas is not installed; put it on the path, or let GRAPHENE_PTXAS name it (Debian: nvidia-cuda-toolkit)");
        }
    }

    /// <summary>Assembles a module.</summary>
    /// <param name="text">PTX.</param>
    /// <param name="architecture">Such as <c>sm_80</c>.</param>
    /// <returns>What each entry takes.</returns>
    public static IReadOnlyList<PtxasReport> Assemble(string text, string architecture) => Assemble(text, architecture, out _);

    /// <summary>Assembles a module.</summary>
    /// <param name="text">PTX.</param>
    /// <param name="architecture">Such as <c>sm_80</c>.</param>
    /// <param name="warnings">What the assembler warns of, also of performance that is lost.</param>
    /// <returns>What each entry takes.</returns>
    public static IReadOnlyList<PtxasReport> Assemble(string text, string architecture, out string[] warnings)
    {
        Require();
        using var folder = new TemporaryFolder();
        string path = folder.Combine("module.ptx");
        File.WriteAllText(path, text);
        var start = new ProcessStartInfo(Program!, ["-v", $"-arch={architecture}", "-o", folder.Combine("module.cubin"), path])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string said = process.StandardError.ReadToEnd() + output.Result;
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, said);
        warnings = [.. said.Split('\n').Where(l => l.Contains("warning", StringComparison.OrdinalIgnoreCase)
            || l.Contains("Potential Performance Loss", StringComparison.Ordinal))];
        return [.. Entries().Matches(said).Select(Read)];
    }

    private static PtxasReport Read(Match entry)
    {
        string text = entry.Value;
        return new PtxasReport(entry.Groups["name"].Value, Figure(Registers(), text))
        {
            SpilledBytes = Figure(SpillStores(), text) + Figure(SpillLoads(), text),
            StackBytes = Figure(Stack(), text),
            SharedBytes = Figure(Shared(), text),
        };
    }

    private static int Figure(Regex pattern, string text) => pattern.Match(text) is { Success: true } match
        ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
        : 0;

    [GeneratedRegex(@"Compiling entry function '(?<name>[^']+)'.*?Used \d+ registers[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Entries();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex SpillStores();

    [GeneratedRegex(@"(\d+) bytes spill loads")]
    private static partial Regex SpillLoads();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();
}

/// <summary>What the assembler says of an entry.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Registers">Registers of a thread.</param>
internal sealed record PtxasReport(string Name, int Registers)
{
    /// <summary>Bytes of registers that were written to memory or read back, in the code.</summary>
    public int SpilledBytes { get; init; }

    /// <summary>Bytes of a thread's memory: spilled registers, and scratch.</summary>
    public int StackBytes { get; init; }

    /// <summary>Bytes of shared memory whose size the code states.</summary>
    public int SharedBytes { get; init; }
}
