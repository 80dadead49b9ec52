using System.IO.Compression;

namespace Graphene.Interop.Numpy;

/// <summary>A NumPy archive (<c>numpy.savez</c>), open for reading: a ZIP file with a <c>.npy</c> file for each array.</summary>
/// <remarks>
/// A file is taken as hostile: names appear once, sizes that the archive announces are checked before anything is
/// inflated, no array gets memory before its header agrees with its announced size, and what was inflated must have the announced
/// size and checksum. One thread at a time may read.
/// </remarks>
public sealed class NpzFile : INamedTensors, IDisposable
{
    private const string Extension = ".npy";
    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorType> _types = new(StringComparer.Ordinal);

    private NpzFile(string path, Stream stream, long? maxBytes)
    {
        Name = path;
        _archive = new ZipArchive(stream, ZipArchiveMode.Read);
        long limit = maxBytes ?? Inflation.LimitOf(stream.Length);
        long total = 0;
        foreach (ZipArchiveEntry entry in _archive.Entries)
        {
            if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
            {
                throw NotNpz(path, $"it contains '{entry.FullName}', which is no {Extension} file");
            }
            if (!_entries.TryAdd(entry.FullName[..^Extension.Length], entry))
            {
                throw NotNpz(path, $"it contains '{entry.FullName}' twice");
            }
            total += entry.Length; // at most 2^63 / 2^32 entries of up to 2^32 bytes, or fewer larger ones; checked each time
            if (entry.Length < 0 || total < 0 || total > limit)
            {
                throw new GraphException(
                    NpyDiagnosticIds.InflatedTooLarge, $"{path}: the arrays take more than {limit} bytes", path,
                    $"the file has {stream.Length} bytes and may be a trap; real data does not shrink so much",
                    "if it is meant to be so, say how much it may take: NpzFile.Open(path, maxBytes)");
            }
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Opens an archive and reads its list.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The most bytes that all arrays together may take; by default 256 MiB, or 32 times the file.</param>
    /// <exception cref="GraphException">GR4101, GR4106, GR4107: the file cannot be opened, or is no archive that can be used.</exception>
    public static NpzFile Open(string path, long? maxBytes = null)
    {
        FileStream? stream = null;
        try
        {
            stream = File.OpenRead(path);
            return new NpzFile(path, stream, maxBytes);
        }
        catch (Exception e)
        {
            stream?.Dispose();
            throw e switch
            {
                InvalidDataException => NotNpz(path, e.Message, e),
                IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException => new GraphException(
                    NpyDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the path and its permissions", inner: e),
                _ => e,
            };
        }
    }

    /// <summary>Writes an archive; bf16, which NumPy does not have, as f32 of the same values.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="tensors">The arrays.</param>
    /// <param name="compress">Whether to make it smaller, which takes much longer.</param>
    /// <exception cref="ArgumentException">A name is there twice, or cannot be a file name in an archive.</exception>
    /// <exception cref="GraphException">GR4101: the file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedTensor> tensors, bool compress = false)
    {
        NamedTensor[] all = [.. tensors];
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (NamedTensor tensor in all)
        {
            if (tensor.Name.Length == 0 || !names.Add(tensor.Name))
            {
                throw new ArgumentException($"'{tensor.Name}' cannot be the name of an array here: it is taken or empty", nameof(tensors));
            }
        }
        try
        {
            using FileStream file = File.Create(path);
            using var archive = new ZipArchive(file, ZipArchiveMode.Create);
            foreach (NamedTensor tensor in all)
            {
                ZipArchiveEntry entry = archive.CreateEntry(
                    tensor.Name + Extension, compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
                entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero); // equal arrays, equal files
                using Stream stream = entry.Open();
                NpyFile.Write(stream, tensor.Value);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new GraphException(
                NpyDiagnosticIds.CannotOpen, $"{path}: {e.Message}", path, fix: "check the folder and its permissions", inner: e);
        }
    }

    /// <inheritdoc/>
    public TensorType? TypeOf(string name)
    {
        if (_types.TryGetValue(name, out TensorType? known) || !_entries.TryGetValue(name, out ZipArchiveEntry? entry))
        {
            return known;
        }
        TensorType type = Inflate(entry, NpyFile.ReadType);
        _types.Add(name, type);
        return type;
    }

    /// <inheritdoc/>
    public Literal Read(string name)
    {
        if (!_entries.TryGetValue(name, out ZipArchiveEntry? entry))
        {
            throw new KeyNotFoundException($"{Name} has no array '{name}'");
        }
        return Inflate(entry, (stream, label) =>
        {
            Literal value = NpyFile.Read(stream, label);
            if (stream.ReadByte() >= 0 || stream.Checksum != entry.Crc32)
            {
                throw NotNpz(Name, $"'{entry.FullName}' has not the content that the archive's list announces");
            }
            return value;
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    private T Inflate<T>(ZipArchiveEntry entry, Func<SizedStream, string, T> read)
    {
        string label = $"{Name}/{entry.FullName}";
        try
        {
            using Stream inner = entry.Open();
            using var sized = new SizedStream(inner, entry.Length);
            return read(sized, label);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            throw NotNpz(Name, $"'{entry.FullName}' cannot be read: {e.Message}", e);
        }
    }

    private static GraphException NotNpz(string path, string problem, Exception? inner = null) => new(
        NpyDiagnosticIds.NotNpz, $"{path}: {problem}", path, "an archive holds one .npy file for each array",
        "save the arrays again with numpy.savez", inner);
}
