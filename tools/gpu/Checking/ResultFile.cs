namespace Graphene.GpuCheck;

/// <summary>Results of a check, one line each: name, outcome, detail. What began and has no outcome took the process with it.</summary>
internal sealed class ResultFile
{
    public const string Passed = "passed";
    public const string Skipped = "skipped";
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
            _results[fields[0]] = (fields[1], fields.Length > 2 ? fields[2] : "");
        }
        foreach ((string name, (string outcome, string _)) in _results.ToArray())
        {
            if (outcome == Began)
            {
                Add(name, "failed", "the process ended while it ran");
            }
        }
    }

    /// <summary>How many neither passed nor were skipped.</summary>
    public int Failed => _results.Values.Count(r => r.Outcome == "failed");

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
        if (outcome == "failed")
        {
            Console.WriteLine($"FAILED {name}: {detail}");
        }
    }

    private void Write(string name, string outcome, string detail)
    {
        detail = detail.ReplaceLineEndings(" | ").Replace('\t', ' ');
        _results[name] = (outcome, detail);
        File.AppendAllText(_path, $"{name}\t{outcome}\t{detail}\n");
    }
}
