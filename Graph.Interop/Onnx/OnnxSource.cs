using System.Globalization;
using Graphene.Files;
using Graphene.Interop.Onnx.Reading;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx;

/// <summary>An ONNX file as the source of a graph: named by its bytes, and imported only when somebody asks for the graph.</summary>
public sealed class OnnxSource : IGraphSource
{
    private readonly string _path;
    private readonly IReadOnlyDictionary<string, Literal> _inputs;
    private readonly OnnxImportOptions _options;
    private readonly Lazy<string?> _stamp;
    private readonly Lazy<string> _hash;
    private OnnxModel? _model;

    /// <summary>Names a file; it is hashed when somebody asks for the key.</summary>
    /// <param name="path">The path of an .onnx file.</param>
    /// <param name="options">What to fix; <see cref="OnnxImportOptions.Default"/> when null.</param>
    /// <param name="inputs">Values to import the model for when it has no symbolic form, see <see cref="OnnxImporter.ImportFor"/>.</param>
    /// <exception cref="GraphException">GR4001, GR4004: the file cannot be read, or is too large.</exception>
    public OnnxSource(
        string path, OnnxImportOptions? options = null, IReadOnlyDictionary<string, Literal>? inputs = null)
    {
        _path = path;
        _inputs = inputs ?? new Dictionary<string, Literal>();
        _options = options ?? OnnxImportOptions.Default;
        _stamp = new Lazy<string?>(() => StampOf(_path));
        _hash = new Lazy<string>(() =>
        {
            _ = _stamp.Value; // of what is hashed, or of what was there before
            return HashOf(_path);
        });
        using SafeFileHandle file = OpenBearable(path); // what is not there is refused here and now
    }

    /// <inheritdoc/>
    /// <exception cref="GraphException">GR4001, GR4004: the file cannot be read any more, or became too large.</exception>
    public string Key => NameWith(_hash.Value);

    /// <inheritdoc/>
    public string? Stamp => _stamp.Value is { } stamp ? NameWith(stamp) : null;

    /// <inheritdoc/>
    /// <remarks>A key that nobody had asked for before the graph was loaded says nothing about what was loaded.</remarks>
    public bool KeyIsComplete { get; private set; }

    /// <inheritdoc/>
    public bool IsUnchanged() =>
        (_stamp is { IsValueCreated: true, Value: { } stamp } && stamp == StampOf(_path)) || _hash.Value == HashOf(_path);

    /// <summary>The imported model with what the file says about it. Its large tensors stay in the file.</summary>
    /// <exception cref="GraphException">GR4001 to GR4014: the model cannot be imported, with the reason.</exception>
    public OnnxModel Import()
    {
        if (_model is null)
        {
            using OnnxModelFile file = OnnxModelFile.Load(_path, new OnnxLoadOptions { LeavesTensorsInFile = true });
            _model = OnnxImporter.ImportFor(file, _inputs, _options);
            KeyIsComplete = _hash.IsValueCreated
                && !file.ReadsOtherFiles
                && _options.InputValues is null
                && _model.SpecializedInputs.Count == 0
                && _model.FixedDims.Keys.All(_options.Dims.ContainsKey);
        }
        return _model;
    }

    /// <inheritdoc/>
    public Module Load() => Import().Module;

    // The bytes of the file by a name of theirs, and whatever else decides what is imported.
    private string NameWith(string content)
    {
        var dims = new List<string>();
        foreach ((string name, long size) in _options.Dims)
        {
            dims.Add(string.Create(CultureInfo.InvariantCulture, $"{name.Length}:{name}={size}"));
        }
        dims.Sort(StringComparer.Ordinal);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"onnx {typeof(OnnxSource).Assembly.ManifestModule.ModuleVersionId:N} {content} "
            + $"nodes {_options.MaxNodes} dims {string.Join(',', dims)} name {Path.GetFileName(_path)}");
    }

    private static string? StampOf(string path)
    {
        using SafeFileHandle file = OpenBearable(path);
        return FileStamp.Of(file);
    }

    private static SafeFileHandle OpenBearable(string path)
    {
        SafeFileHandle file = OnnxModelFile.Open(path);
        long length = RandomAccess.GetLength(file);
        if (length <= OnnxLoadOptions.Default.MaxFileBytes)
        {
            return file;
        }
        file.Dispose();
        throw OnnxErrors.TooLarge(path, $"it has {length} bytes, more than {OnnxLoadOptions.Default.MaxFileBytes}");
    }

    private static string HashOf(string path)
    {
        using SafeFileHandle file = OpenBearable(path);
        try
        {
            return ContentHash.Of(file, RandomAccess.GetLength(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OnnxErrors.CannotOpen(path, e.Message);
        }
    }
}
