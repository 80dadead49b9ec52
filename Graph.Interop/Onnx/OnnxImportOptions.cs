namespace Graphene.Interop.Onnx;

/// <summary>What the importer may fix or assume about a model.</summary>
public sealed record OnnxImportOptions
{
    /// <summary>Keeps every named dimension symbolic.</summary>
    public static OnnxImportOptions Default { get; } = new();

    /// <summary>Sizes for symbolic dimensions by name; dimensions without an entry stay symbolic.</summary>
    public IReadOnlyDictionary<string, long> Dims { get; init; } = new Dictionary<string, long>();

    /// <summary>
    /// Asked for an input's value when it decides a shape (a Reshape whose target is a graph input, for example). The graph is then
    /// specialised for this value; see <see cref="OnnxModel.SpecializedInputs"/>. Null, or a null answer: such models are refused.
    /// </summary>
    public Func<string, Literal?>? InputValues { get; init; }

    /// <summary>The most nodes a model may have after its functions are inlined.</summary>
    public int MaxNodes { get; init; } = 250_000;
}
