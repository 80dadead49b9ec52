using Google.Protobuf;
using Graphene.Interop.Onnx.Exporting;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx;

/// <summary>Writes graphs as ONNX models, for other tools and for our own importer.</summary>
/// <remarks>
/// <code>
/// LoweredGraph prediction = graph.Lower([probabilities]);
/// OnnxExporter.Export(prediction, session.ValueOf, "model.onnx");
/// </code>
/// Operators are those of <see cref="OperatorSet"/>; no domain of ours is needed. Names and element types stay, symbolic dims
/// are written as names, constants and variables as stored tensors. Composites become what they compute, loops and branches
/// stay. What has no form in ONNX is refused, all of it at once: effects, random numbers, bits seen as another type. Equal
/// graphs give equal bytes.
/// </remarks>
public static class OnnxExporter
{
    /// <summary>The version of the standard operators that models are written in.</summary>
    public const int OperatorSet = 21;

    /// <summary>The version of the file format.</summary>
    public const int IrVersion = 10;

    /// <summary>Writes a module to a file, which others see whole or not at all.</summary>
    /// <param name="module">The module; its inputs are the model's.</param>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="options">Values and texts; <see cref="OnnxExportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">
    /// GR4004: it is too large. GR4015: something in it has no form in ONNX. GR4016: the file cannot be written. GR4017: a value
    /// does not fit.
    /// </exception>
    public static void Export(Module module, string path, OnnxExportOptions? options = null)
    {
        ModelProto model = ToModel(module, options);
        try
        {
            AtomicFile.Write(path, model.WriteTo);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new GraphException(
                OnnxDiagnosticIds.CannotWrite, "onnx: the model cannot be written", path,
                e is DirectoryNotFoundException ? "there is no such folder" : e.Message, "check the folder and its permissions", e);
        }
    }

    /// <summary>Writes a module to a stream.</summary>
    /// <param name="module">The module; its inputs are the model's.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="options">Values and texts; <see cref="OnnxExportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4004, GR4015, GR4017, as for a file.</exception>
    public static void Export(Module module, Stream stream, OnnxExportOptions? options = null) =>
        ToModel(module, options).WriteTo(stream);

    /// <summary>Writes what some fetches of a graph need to a file, with the present values of variables.</summary>
    /// <param name="graph">The part of the graph, from <see cref="Graph.Lower"/>; its feeds are the model's inputs.</param>
    /// <param name="valueOf">Gives the values of variables, for example <c>session.ValueOf</c>.</param>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="options">More values, and texts; <see cref="OnnxExportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">
    /// GR4004, GR4016, GR4017, as for a module. GR4015: something has no form in ONNX, such as assigning a variable.
    /// </exception>
    public static void Export(
        LoweredGraph graph, Func<Variable, Literal> valueOf, string path, OnnxExportOptions? options = null) =>
        Export(graph.Module, path, WithVariables(graph, valueOf, options));

    /// <summary>Writes what some fetches of a graph need to a stream, with the present values of variables.</summary>
    /// <param name="graph">The part of the graph, from <see cref="Graph.Lower"/>; its feeds are the model's inputs.</param>
    /// <param name="valueOf">Gives the values of variables, for example <c>session.ValueOf</c>.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="options">More values, and texts; <see cref="OnnxExportOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4004, GR4015, GR4017, as for a file.</exception>
    public static void Export(
        LoweredGraph graph, Func<Variable, Literal> valueOf, Stream stream, OnnxExportOptions? options = null) =>
        Export(graph.Module, stream, WithVariables(graph, valueOf, options));

    private static OnnxExportOptions WithVariables(
        LoweredGraph graph, Func<Variable, Literal> valueOf, OnnxExportOptions? options)
    {
        options ??= OnnxExportOptions.Default;
        if (graph.Variables.FirstOrDefault(v => v.Output >= 0) is { } assigned)
        {
            throw new GraphException(
                OnnxDiagnosticIds.NoOnnxForm, $"onnx: '{graph.Module.Name}' cannot be exported, it assigns variables",
                $"variable '{assigned.Variable.Name}'", "an ONNX model keeps nothing from one run to the next",
                "export predictions rather than a training step");
        }
        var values = new Dictionary<string, Literal>(options.Values, StringComparer.Ordinal);
        foreach (VariableBinding variable in graph.Variables)
        {
            values.TryAdd(graph.Module.InputNames[variable.Input], valueOf(variable.Variable));
        }
        return options with { Values = values };
    }

    private static ModelProto ToModel(Module module, OnnxExportOptions? options)
    {
        ModelProto model = new ModelExporter(module, options ?? OnnxExportOptions.Default).Export();
        long stored = model.Graph.Initializer.Sum(t => (long)t.RawData.Length);
        const long Rest = 64 << 20; // names and operators
        return stored + Rest <= int.MaxValue
            ? model
            : throw new GraphException(
                OnnxDiagnosticIds.TooLarge, "onnx: the model exceeds a limit", $"'{module.Name}'",
                $"its tensors have {stored} bytes, and ONNX files end at {int.MaxValue}", "export parts of the model");
    }
}
