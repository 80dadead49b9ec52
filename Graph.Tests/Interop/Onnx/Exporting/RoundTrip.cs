using Graphene.Interop.Onnx;

namespace Graphene.Tests.Interop.Onnx.Exporting;

/// <summary>Writes graphs as ONNX models and reads them back.</summary>
internal static class RoundTrip
{
    public static Module Of(Module module, OnnxExportOptions? options = null)
    {
        using var stream = new MemoryStream();
        OnnxExporter.Export(module, stream, options);
        return Import(stream);
    }

    public static Module Of(Graph graph, Tensor[] fetches, Tensor[] feeds, Func<Variable, Literal>? valueOf = null)
    {
        using var stream = new MemoryStream();
        OnnxExporter.Export(graph.Lower(fetches, feeds), valueOf ?? (v => v.InitialValue), stream);
        return Import(stream);
    }

    public static Module Of(Computation computation) => Of(ModuleOf(computation));

    /// <summary>A computation with names for its parameters and results.</summary>
    public static Module ModuleOf(Computation computation) => new(
        "test", computation, [.. computation.Parameters.Select((_, i) => $"in{i}")],
        [.. computation.Results.Select((_, i) => $"out{i}")], new ProvenanceTable());

    public static Module Import(MemoryStream stream)
    {
        using OnnxModelFile file = OnnxModelFile.Load(stream.ToArray(), "exported.onnx");
        return OnnxImporter.Import(file).Module;
    }
}
