using System.Globalization;

namespace Graphene.Cli.Building;

/// <summary>What a project asks for one <c>GrapheneModel</c> item: a text file of lines <c>key=value</c> that the targets write.</summary>
/// <remarks>The file is the stamp of all options, too: the build compiles again when it changes.</remarks>
internal sealed record BuildRequest
{
    private static readonly string[] Accesses = ["public", "internal"];

    /// <summary>The model's path.</summary>
    public string Model { get; init; } = "";

    /// <summary>The item as the project writes it.</summary>
    public string Item { get; init; } = "";

    /// <summary>The project that has the item.</summary>
    public string Project { get; init; } = "";

    /// <summary>Where the bundle goes; its file name is what the generated class looks for.</summary>
    public string Bundle { get; init; } = "";

    /// <summary>Where the signature goes, which the source generator reads.</summary>
    public string Signature { get; init; } = "";

    /// <summary>Where the names of all files go that the bundle was made from.</summary>
    public string Inputs { get; init; } = "";

    /// <summary>The platform, a runtime identifier.</summary>
    public string Target { get; init; } = "";

    /// <summary>The namespace of the generated class; may be empty.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>The name of the generated class; empty to derive it from the model's file name.</summary>
    public string ClassName { get; init; } = "";

    /// <summary>Its accessibility.</summary>
    public string Access { get; init; } = "public";

    /// <summary>Sizes of symbolic dimensions, as the item gives them.</summary>
    public IReadOnlyDictionary<string, long> Dims { get; init; } = new Dictionary<string, long>();

    /// <summary>Reads a request.</summary>
    /// <exception cref="ModelBuildException">GRPH004: a value of the item is wrong.</exception>
    /// <exception cref="UsageException">The file is no request.</exception>
    public static BuildRequest Read(string path)
    {
        var request = new BuildRequest();
        foreach (string line in ModelText(path).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int at = line.IndexOf('=');
            if (at < 0)
            {
                throw new UsageException($"{path}: '{line}' is not key=value");
            }
            request = request.With(line[..at], line[(at + 1)..]);
        }
        return request;
    }

    private BuildRequest With(string key, string value) => key switch
    {
        "model" => this with { Model = value },
        "item" => this with { Item = value },
        "project" => this with { Project = value },
        "bundle" => this with { Bundle = value },
        "signature" => this with { Signature = value },
        "inputs" => this with { Inputs = value },
        "target" => this with { Target = value },
        "namespace" => this with { Namespace = value },
        "class" => this with { ClassName = value },
        "access" when value.Length == 0 => this,
        "access" => this with { Access = AccessOf(value) },
        "dims" => this with { Dims = ReadDims(value) },
        _ => this, // what only has to be part of the stamp, such as the version of the compiler
    };

    private string AccessOf(string value) => Array.Exists(Accesses, a => a == value)
        ? value
        : throw Wrong($"Access=\"{value}\" is not {string.Join(" or ", Accesses)}");

    private Dictionary<string, long> ReadDims(string text)
    {
        var dims = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string part in text.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int at = part.LastIndexOf('=');
            if (at <= 0 || !long.TryParse(part.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
            {
                throw Wrong($"Dims=\"{text}\": '{part}' is not NAME=N");
            }
            if (!dims.TryAdd(part[..at].TrimEnd(), size))
            {
                throw Wrong($"Dims=\"{text}\" gives '{part[..at].TrimEnd()}' twice");
            }
        }
        return dims;
    }

    private ModelBuildException Wrong(string what) => new(this, ModelBuildError.BadItem, what);

    private static string ModelText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{path} cannot be read: {e.Message}");
        }
    }
}
