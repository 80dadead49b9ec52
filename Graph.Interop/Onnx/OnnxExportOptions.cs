namespace Graphene.Interop.Onnx;

/// <summary>What an exported model holds besides the graph.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>No values, no texts.</summary>
    public static OnnxExportOptions Default { get; } = new();

    /// <summary>
    /// Values of inputs by their names in the graph, for example of the variables: these are stored in the file and are no inputs
    /// of the model.
    /// </summary>
    public IReadOnlyDictionary<string, Literal> Values { get; init; } = new Dictionary<string, Literal>();

    /// <summary>What the model's first inputs are called; null, or past the end of the list: as in the graph.</summary>
    public IReadOnlyList<string>? InputNames { get; init; }

    /// <summary>What the model's first outputs are called; null, or past the end of the list: as in the graph.</summary>
    public IReadOnlyList<string>? OutputNames { get; init; }

    /// <summary>What the model is, for people.</summary>
    public string Description { get; init; } = "";

    /// <summary>Pairs of text for programs.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}
