namespace Graphene.GpuCheck;

/// <summary>Results of a check, one line each: name, outcome, detail. What began and has no outcome took the process with it.</summary>
/// <remarks>What is known of the machine is there as well, so that a report can be written when the device is gone.</remarks>
internal sealed class ResultFile
{
    public const string Passed = "passed";
    public const string Skipped = "skipped";
    public const string Failure = "failed";
    public const string Measured = "measured";

    /// <summary>The name of the line that says which device it is, and of the one with the rate of a copy in bytes per second.</summary>
    public const string Device = "(device)";
    public const string CopyRate = "(copy)";
    public const string Known = "known";
    private const string Began = "began";
    private readonly string _path;
    private readonly Dictionary<string, (string Outcome, string Detail)> _results = new(StringComparer.Ordinal);

    /// <summary>Opens a file, or begins one.</summary>
    public ResultFile(string path)
    {
        _path = path;
        foreach (string line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            string[] fields = line.Split('\t', 3);
            if (fields.Length == 3) // a line that was cut off is that of the case in which the process ended
            {
                _results[fields[0]] = (fields[1], fields[2]);
            }
        }
        foreach ((string name, (string outcome, string _)) in _results.ToArray())
        {
            if (outcome == Began)
            {
                Add(name, Failure, "the process ended while it ran");
            }
        }
    }

    /// <summary>How many have an outcome.</summary>
    public int Count(string outcome) => _results.Values.Count(r => r.Outcome == outcome);

    /// <summary>What is known of the machine; null for nothing.</summary>
    public string? Find(string name) => _results.TryGetValue(name, out (string Outcome, string Detail) found) ? found.Detail : null;

    /// <summary>All results.</summary>
    public IEnumerable<(string Name, string Outcome, string Detail)> All => _results.Select(r => (r.Key, r.Value.Outcome, r.Value.Detail));

    /// <summary>Whether there is a result.</summary>
    public bool Has(string name) => _results.ContainsKey(name);

    /// <summary>Notes that something begins.</summary>
    public void Begin(string name) => Write(name, Began, "");

    /// <summary>Notes an outcome.</summary>
    public void Add(string name, string outcome, string detail)
    {
        Write(name, outcome, detail);
        if (outcome == Failure)
        {
            Console.WriteLine($"FAILED {name}: {detail}");
        }
    }

    private void Write(string name, string outcome, string detail)
    {
        detail = detail.ReplaceLineEndings(" | ").Replace('\t', ' ');
        lock (_results)
        {
            _results[name] = (outcome, detail);
            File.AppendAllText(_path, $"{name}\t{outcome}\t{detail}\n");
        }
    }
}
