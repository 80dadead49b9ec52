using System.Globalization;
using Graphene.Interop.Onnx.Reading;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx;

/// <summary>An ONNX file as the source of a graph: named by its bytes, and imported only when somebody asks for the graph.</summary>
public sealed class OnnxSource : IGraphSource
{
    private readonly string _path;
    private readonly IReadOnlyDictionary<string, Literal> _inputs;
    private readonly OnnxImportOptions _options;
    private OnnxModel? _model;

    /// <summary>Reads and hashes a file.</summary>
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
        IEnumerable<string> dims = _options.Dims.OrderBy(d => d.Key, StringComparer.Ordinal).Select(
            d => string.Create(CultureInfo.InvariantCulture, $"{d.Key.Length}:{d.Key}={d.Value}"));
        Key = string.Create(
            CultureInfo.InvariantCulture,
            $"onnx {typeof(OnnxSource).Assembly.ManifestModule.ModuleVersionId:N} {HashOf(path)} "
            + $"nodes {_options.MaxNodes} dims {string.Join(',', dims)} name {Path.GetFileName(path)}");
    }

    /// <inheritdoc/>
    public string Key { get; }

    /// <inheritdoc/>
    public bool KeyIsComplete { get; private set; }

    /// <summary>The imported model with what the file says about it.</summary>
    /// <exception cref="GraphException">GR4001 to GR4014: the model cannot be imported, with the reason.</exception>
    public OnnxModel Import()
    {
        if (_model is null)
        {
            using OnnxModelFile file = OnnxModelFile.Load(_path);
            _model = OnnxImporter.ImportFor(file, _inputs, _options);
            KeyIsComplete = !file.ReadsOtherFiles
                && _options.InputValues is null
                && _model.SpecializedInputs.Count == 0
                && _model.FixedDims.Keys.All(_options.Dims.ContainsKey)
                && Key.Contains(HashOf(_path), StringComparison.Ordinal); // or it was replaced between hashing and reading
        }
        return _model;
    }

    /// <inheritdoc/>
    public Module Load() => Import().Module;

    private static string HashOf(string path)
    {
        using SafeFileHandle file = OnnxModelFile.Open(path);
        long length = RandomAccess.GetLength(file);
        if (length > OnnxLoadOptions.Default.MaxFileBytes)
        {
            throw OnnxErrors.TooLarge(path, $"it has {length} bytes, more than {OnnxLoadOptions.Default.MaxFileBytes}");
        }
        try
        {
            return ContentHash.Of(file, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OnnxErrors.CannotOpen(path, e.Message);
        }
    }
}
