using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Graphene.Bench;

/// <summary>PyTorch, eager and compiled, in the chroot that the peers' scripts set up.</summary>
internal sealed class TorchPeer
{
    private readonly string _script;
    private readonly string _folder;

    /// <summary>Finds the script and the chroot.</summary>
    /// <exception cref="BenchException">One of them is missing.</exception>
    public TorchPeer()
    {
        _script = Path.Combine(ModelSet.Shared(), "peers", "torch_bench.sh");
        if (!File.Exists(_script))
        {
            throw new BenchException($"PyTorch is missing: there is no {_script}; GRAPHENE_SHARED must hold peers/torch_bench.sh");
        }
        _folder = Environment.GetEnvironmentVariable("PEERS_DIR") ?? Path.Combine(Path.GetTempPath(), "peers");
        string chroot = Path.Combine(_folder, "trixie");
        if (!Directory.Exists(chroot))
        {
            throw new BenchException(
                $"PyTorch is missing: there is no {chroot}; PEERS_DIR must name the folder that the peers' setup.sh filled");
        }
    }

    /// <summary>What the last run said of its version.</summary>
    public string Name { get; private set; } = "PyTorch";

    /// <summary>Runs figures in a new process and gives what it reports, by figure and mode.</summary>
    /// <param name="figures">What torch_bench.py calls them.</param>
    /// <param name="threads">Threads that it may use.</param>
    /// <param name="seconds">How long each figure runs in each mode.</param>
    /// <exception cref="BenchException">The process fails.</exception>
    public IReadOnlyDictionary<(string Figure, string Mode), TorchFigure> Run(IEnumerable<string> figures, int threads, double seconds)
    {
        string[] wanted = [.. figures];
        var start = new ProcessStartInfo(
            "/bin/bash",
            [
                _script, "--threads", threads.ToString(CultureInfo.InvariantCulture), "--only", string.Join(',', wanted),
                "--seconds", seconds.ToString(CultureInfo.InvariantCulture),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PEERS_DIR"] = _folder;
        using Process process = Process.Start(start) ?? throw new BenchException($"{_script} does not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            string reason = string.Join(" | ", errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));
            throw new BenchException(
                $"torch_bench.sh ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)} (it needs root): {reason}");
        }
        return Read(output, wanted);
    }

    // One JSON object a line; a figure that cannot be run says so, and figures that were not asked for may share a name's beginning.
    private Dictionary<(string Figure, string Mode), TorchFigure> Read(string output, string[] wanted)
    {
        var figures = new Dictionary<(string, string), TorchFigure>();
        foreach (string line in output.Split('\n').Where(l => l.StartsWith('{')))
        {
            JsonElement figure = JsonDocument.Parse(line).RootElement;
            if (figure.TryGetProperty("median_ms", out JsonElement median) && figure.GetProperty("what").GetString() is { } name
                && wanted.Contains(name))
            {
                figures[(name, figure.GetProperty("mode").GetString()!)] = new TorchFigure(
                    median.GetDouble(), Number(figure, "loss_first"), Number(figure, "loss_last"));
                Name = "PyTorch " + figure.GetProperty("peer").GetString()!.Replace("torch-", "", StringComparison.Ordinal);
            }
        }
        return figures;
    }

    private static double? Number(JsonElement figure, string name) =>
        figure.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : null;
}
