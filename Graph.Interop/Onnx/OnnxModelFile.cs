using System.Buffers;
using Google.Protobuf;
using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Reading;
using Graphene.Interop.Onnx.Schema;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx;

/// <summary>A parsed ONNX model file, before its graph is imported.</summary>
/// <remarks>
/// Loading checks the file as such: that it is a regular file of bearable size, that its bytes form the messages of an ONNX
/// model, and that the format version is known. Whether the graph makes sense is the importer's business.
/// Large tensors and external data are read when the graph is imported; dispose the file afterwards.
/// </remarks>
public sealed class OnnxModelFile : IDisposable
{
    /// <summary>The newest format version (IR version) that is understood.</summary>
    public const int NewestIrVersion = 13;

    private readonly ByteSource _source;
    private readonly ExternalDataFolder _external;

    private OnnxModelFile(string name, string? folder, ByteSource source, OnnxLoadOptions options)
    {
        Name = name;
        Model = Parse(source, name, options);
        _source = source;
        _external = new ExternalDataFolder(folder);
        Tensors = new TensorReader(source, _external, options);
    }

    /// <summary>The path, or the name given for a model in memory.</summary>
    public string Name { get; }

    /// <summary>The format version of the file.</summary>
    public long IrVersion => Model.IrVersion;

    /// <summary>The tool that wrote the file, with its version; empty when not recorded.</summary>
    public string Producer => $"{Model.ProducerName} {Model.ProducerVersion}".Trim();

    /// <summary>Operator set versions by domain; the standard domain is the empty string.</summary>
    public IReadOnlyDictionary<string, long> OperatorSets =>
        Model.OpsetImport.GroupBy(o => NormalDomain(o.Domain)).ToDictionary(g => g.Key, g => g.Max(o => o.Version));

    /// <summary>The pairs of text that the exporter attached to the model.</summary>
    public IReadOnlyDictionary<string, string> Metadata =>
        Model.MetadataProps.GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value);

    /// <summary>The names of the inputs that a run must feed, in the order of the file.</summary>
    public IReadOnlyList<string> InputNames
    {
        get
        {
            var stored = new HashSet<string>(ModelImporter.StoredNames(Model.Graph), StringComparer.Ordinal);
            return [.. Model.Graph.Input.Select(i => i.Name).Where(name => !stored.Contains(name))];
        }
    }

    /// <summary>The names of the outputs, in the order of the file.</summary>
    public IReadOnlyList<string> OutputNames => [.. Model.Graph.Output.Select(o => o.Name)];

    /// <summary>The files with external data that were read so far, relative to the model's folder: those that an import needed.</summary>
    public IReadOnlyList<string> ExternalFiles => [.. _external.Opened.Order(StringComparer.Ordinal)];

    /// <summary>Whether tensors were read from files beside this one.</summary>
    internal bool ReadsOtherFiles => _external.HasOpened;

    /// <summary>The messages.</summary>
    internal ModelProto Model { get; }

    /// <summary>Reads the file's tensors.</summary>
    internal TensorReader Tensors { get; }

    /// <summary>Reads and checks a model file.</summary>
    /// <param name="path">The path of an .onnx file.</param>
    /// <param name="options">Limits; <see cref="OnnxLoadOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4001 to GR4005: the file cannot be used, with the reason.</exception>
    public static OnnxModelFile Load(string path, OnnxLoadOptions? options = null)
    {
        options ??= OnnxLoadOptions.Default;
        var source = new ByteSource(Open(path), options.LeavesTensorsInFile);
        try
        {
            return new OnnxModelFile(path, Path.GetDirectoryName(Path.GetFullPath(path)), source, options);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Reads and checks a model that is in memory already; it can have no external data.</summary>
    /// <param name="bytes">The bytes of an .onnx file.</param>
    /// <param name="name">How messages call it.</param>
    /// <param name="options">Limits; <see cref="OnnxLoadOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">GR4002 to GR4005: the model cannot be used, with the reason.</exception>
    public static OnnxModelFile Load(ReadOnlyMemory<byte> bytes, string name, OnnxLoadOptions? options = null) =>
        new(name, null, new ByteSource(bytes), options ?? OnnxLoadOptions.Default);

    /// <summary>Closes the file and those of external data; a model that was imported stays usable.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _external.Dispose();
    }

    /// <summary>Both spellings of the standard domain as the empty string.</summary>
    internal static string NormalDomain(string domain) => domain == "ai.onnx" ? "" : domain;

    /// <summary>Opens a file that must be regular and not empty.</summary>
    internal static SafeFileHandle Open(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                throw OnnxErrors.CannotOpen(path, "it is a folder");
            }
            var info = new FileInfo(path);
            if (!info.Exists)
            {
                throw OnnxErrors.CannotOpen(path, "there is no such file");
            }
            // Pipes and devices report no length; opening one could block for ever.
            FileSystemInfo final = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            if (final is FileInfo { Length: 0 })
            {
                throw OnnxErrors.CannotOpen(path, "it is empty, or not a regular file");
            }
            return File.OpenHandle(path, share: FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw OnnxErrors.CannotOpen(path, e.Message);
        }
    }

    private static ModelProto Parse(ByteSource source, string name, OnnxLoadOptions options)
    {
        if (source.Length == 0)
        {
            throw OnnxErrors.NotOnnx(name, "it is empty");
        }
        if (source.Length > options.MaxFileBytes)
        {
            throw OnnxErrors.TooLarge(name, $"it has {source.Length} bytes, more than {options.MaxFileBytes}");
        }
        Span<byte> head = stackalloc byte[64];
        head = head[..source.Read(0, head)];
        if (FileKind.Foreign(head) is (string why, string fix))
        {
            throw OnnxErrors.NotOnnx(name, why, fix);
        }
        ReadOnlyMemory<byte> skeleton = MessageSkeleton.OfModel(source, options, name);
        try
        {
            ModelProto model = ModelProto.Parser.ParseFrom(new ReadOnlySequence<byte>(skeleton));
            CheckVersion(model, name);
            return model;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IOException or OutOfMemoryException)
        {
            throw OnnxErrors.Damaged(name, e.Message);
        }
    }

    private static void CheckVersion(ModelProto model, string name)
    {
        if (model.Graph is null)
        {
            throw OnnxErrors.NotOnnx(name, "it holds no graph");
        }
        if (model.IrVersion is < 1 or > NewestIrVersion)
        {
            throw OnnxErrors.BadVersion(
                name,
                $"onnx: IR version {model.IrVersion} is not supported",
                $"versions 1 to {NewestIrVersion} are known",
                model.IrVersion < 1 ? "export the model again; the file names no version" : "export with an older ONNX version");
        }
        if (model.OpsetImport.Count == 0 && model.IrVersion >= 3)
        {
            throw OnnxErrors.BadVersion(
                name, "onnx: the model names no operator set", "since IR version 3 every model must", "export the model again");
        }
    }
}
