using System.Diagnostics;
using Graphene.Cli.Execution;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Models;

/// <summary>Reads a model file: IR text or a bundle when it is named so, ONNX otherwise.</summary>
internal static class ModelLoader
{
    private const long MaxTextBytes = 256L << 20;

    /// <summary>Reads a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dims">Sizes for symbolic dims by name; the others stay symbolic.</param>
    /// <param name="inputValue">
    /// The value of an input, if it is known. A model that no symbolic import fits is imported for these values and sizes.
    /// </param>
    /// <exception cref="GraphException">The file cannot be used.</exception>
    public static LoadedModel Load(
        string path, IReadOnlyDictionary<string, long>? dims = null, Func<string, Literal?>? inputValue = null)
    {
        if (ReadOther(path, dims, Devices.Cpu) is { } model)
        {
            return model;
        }
        using OnnxModelFile file = OnnxModelFile.Load(path);
        var known = new Dictionary<string, Literal>(StringComparer.Ordinal);
        foreach (string name in OnnxImporter.InputNames(file))
        {
            if (inputValue?.Invoke(name) is { } value)
            {
                known.Add(name, value);
            }
        }
        OnnxModel imported = OnnxImporter.ImportFor(file, known, Options(dims));
        return new LoadedModel(path, imported.Module, TiedTo(imported, dims));
    }

    /// <summary>Reads a model to run it: one that was compiled before is not imported again.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dims">Sizes for symbolic dims by name; the others stay symbolic.</param>
    /// <param name="inputs">Values of inputs, if they are known. A model that no symbolic import fits is imported for these.</param>
    /// <param name="compiler">Whoever will compile the model; asked whether it did already.</param>
    /// <param name="logger">Receives what was found, or why not.</param>
    /// <exception cref="GraphException">The file cannot be used.</exception>
    public static LoadedModel LoadToRun(
        string path, IReadOnlyDictionary<string, long>? dims, IReadOnlyDictionary<string, Literal> inputs, IGraphCompiler compiler,
        ILogger logger)
    {
        if (ReadOther(path, dims, compiler.Device) is { } model)
        {
            return model;
        }
        var source = new OnnxSource(path, Options(dims), inputs);
        long start = Stopwatch.GetTimestamp();
        return compiler.TryFind(source, logger) is { } program
            ? new LoadedModel(path, program, Stopwatch.GetElapsedTime(start))
            : new LoadedModel(path, source, TiedTo(source.Import(), dims));
    }

    // What the import is tied to besides what was asked for.
    private static IReadOnlyList<string> TiedTo(OnnxModel model, IReadOnlyDictionary<string, long>? dims) =>
        [.. model.SpecializedInputs, .. model.FixedDims.Keys.Where(d => dims?.ContainsKey(d) != true)];

    private static OnnxImportOptions Options(IReadOnlyDictionary<string, long>? dims) =>
        new() { Dims = dims ?? new Dictionary<string, long>() };

    // IR text and bundles; null for ONNX.
    private static LoadedModel? ReadOther(string path, IReadOnlyDictionary<string, long>? dims, string device)
    {
        if (IsText(path))
        {
            Module module = Parser.ParseModule(ReadText(path), path);
            return new LoadedModel(path, dims is { Count: > 0 } ? Specialization.Apply(module, dims) : module, []);
        }
        return IsBundle(path) ? LoadBundle(path, dims, device) : null;
    }

    /// <summary>True for files that hold IR text.</summary>
    public static bool IsText(string path) => Path.GetExtension(path).ToUpperInvariant() is ".HLO" or ".TXT" or ".IR";

    /// <summary>True for bundles, as <c>graphene compile</c> writes them.</summary>
    public static bool IsBundle(string path) => Path.GetExtension(path).Equals(".graphene", StringComparison.OrdinalIgnoreCase);

    private static LoadedModel LoadBundle(string path, IReadOnlyDictionary<string, long>? dims, string device)
    {
        if (dims is { Count: > 0 })
        {
            throw new UsageException($"{path} is a compiled bundle; sizes were chosen when it was compiled, so --dim cannot be used");
        }
        GpuDevice? gpu = Devices.OpenGpu(device);
        try
        {
            CompiledGraph graph = CompiledGraph.Load(path, new CompiledGraphOptions { Gpu = gpu });
            return new LoadedModel(path, graph, gpu is null ? Devices.Cpu : device, gpu);
        }
        catch (Exception e)
        {
            gpu?.Dispose();
            if (e is not ObjectLoadException)
            {
                throw;
            }
            throw new UsageException($"{path} cannot be loaded: {e.Message}");
        }
    }

    /// <summary>Reads a text file of bearable size.</summary>
    public static string ReadText(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxTextBytes)
            {
                throw new UsageException($"{path} has {file.Length} bytes, too much for IR text");
            }
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{path} cannot be read: {e.Message}");
        }
    }
}
