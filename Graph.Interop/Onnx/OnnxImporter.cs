using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx;

/// <summary>Turns ONNX models into Graphene's IR.</summary>
/// <remarks>
/// Operator sets 7 to 28 of the standard domain. Functions are inlined, subgraphs become nested computations, and shapes that the
/// model computes from its inputs' shapes stay symbolic. Every node carries the name of the ONNX node it came from.
/// </remarks>
public static class OnnxImporter
{
    /// <summary>Imports a model file.</summary>
    /// <param name="path">The path of an .onnx file.</param>
    /// <param name="options">What to fix; <see cref="OnnxImportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4001 to GR4014: the model cannot be imported, with the reason.</exception>
    public static OnnxModel Import(string path, OnnxImportOptions? options = null)
    {
        using OnnxModelFile file = OnnxModelFile.Load(path);
        return Import(file, options);
    }

    /// <summary>Imports a model that is loaded already.</summary>
    /// <param name="file">The model.</param>
    /// <param name="options">What to fix; <see cref="OnnxImportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4005 to GR4014: the model cannot be imported, with the reason.</exception>
    public static OnnxModel Import(OnnxModelFile file, OnnxImportOptions? options = null) =>
        new ModelImporter(file, options ?? OnnxImportOptions.Default).Import();

    /// <summary>
    /// Imports a model so that it can run on given inputs: symbolic when it can be, else for the values, and at last for the
    /// sizes, of these inputs.
    /// </summary>
    /// <remarks>
    /// Some models decide shapes by values (a Reshape to a shape that is fed), or branch on sizes into results of different rank.
    /// What the result is tied to is in <see cref="OnnxModel.SpecializedInputs"/> and <see cref="OnnxModel.FixedDims"/>.
    /// </remarks>
    /// <param name="file">The model.</param>
    /// <param name="inputs">Values by input name.</param>
    /// <param name="options">What to fix in any case; <see cref="OnnxImportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4005 to GR4014: the model cannot be imported, with the reason.</exception>
    public static OnnxModel ImportFor(
        OnnxModelFile file, IReadOnlyDictionary<string, Literal> inputs, OnnxImportOptions? options = null)
    {
        options ??= OnnxImportOptions.Default;
        try
        {
            return Import(file, options);
        }
        catch (GraphException e) when (MayDependOnInputs(e))
        {
            options = options with { InputValues = name => inputs.GetValueOrDefault(name) };
        }
        try
        {
            return Import(file, options);
        }
        catch (GraphException e) when (MayDependOnInputs(e))
        {
            return Import(file, options with { Dims = SymbolBinding.Bind(file, inputs, options) });
        }
    }

    private static bool MayDependOnInputs(GraphException e) =>
        e.Id != OnnxDiagnosticIds.UnsupportedOperators && e.Id != OnnxDiagnosticIds.BadVersion &&
        e.Id != OnnxDiagnosticIds.BadGraph && e.Id != OnnxDiagnosticIds.BadDimension;

    /// <summary>The operators that a model's outputs need and the importer lacks; empty when all are known.</summary>
    /// <exception cref="GraphException">GR4005, GR4008: the model cannot be imported whatever its operators are.</exception>
    public static IReadOnlyList<UnsupportedOperator> FindUnsupported(OnnxModelFile file) =>
        new ModelInventory(file).FindUnsupported().List;

    /// <summary>The names of the inputs that a run must feed, in the order of the file: those that are not initializers.</summary>
    /// <param name="file">The model.</param>
    public static IReadOnlyList<string> InputNames(OnnxModelFile file)
    {
        var stored = new HashSet<string>(ModelImporter.StoredNames(file.Model.Graph), StringComparer.Ordinal);
        return [.. file.Model.Graph.Input.Select(i => i.Name).Where(name => !stored.Contains(name))];
    }
}
