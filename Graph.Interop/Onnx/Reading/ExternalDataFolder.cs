using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Reads tensor bytes from the files beside a model, and from nowhere else.</summary>
/// <remarks>
/// A location must be relative, stay inside the model's folder and pass through no link; a model from elsewhere must not be
/// able to read other files of the machine. No file is read more than twice over in total, so that many tensors over one
/// file cannot multiply it; tensors that name the same bytes share them.
/// </remarks>
internal sealed class ExternalDataFolder(string? folder) : IDisposable
{
    private const int MaxReadsOfAFile = 2;

    private readonly Dictionary<string, OpenFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, long, long), ReadOnlyMemory<byte>> _shared = [];
    private readonly Dictionary<(string, long, long), StoredBytes> _left = [];

    /// <summary>Whether any file was opened, and not closed since.</summary>
    public bool HasOpened => _files.Count > 0;

    /// <summary>The locations of the files that were opened.</summary>
    public IEnumerable<string> Opened => _files.Keys;

    /// <summary>Reads a tensor's bytes.</summary>
    /// <param name="tensor">The tensor's name, for errors.</param>
    /// <param name="entries">The tensor's external_data entries.</param>
    /// <param name="expectedBytes">The size that shape and type ask for.</param>
    public ReadOnlyMemory<byte> Read(string tensor, IEnumerable<KeyValuePair<string, string>> entries, long expectedBytes)
    {
        (string location, OpenFile file, long offset) = Find(tensor, entries, expectedBytes);
        if (_shared.TryGetValue((location, offset, expectedBytes), out ReadOnlyMemory<byte> known))
        {
            return known;
        }
        Count(tensor, location, file, expectedBytes);
        byte[] bytes = ReadBytes(tensor, location, file, offset, expectedBytes);
        _shared.Add((location, offset, expectedBytes), bytes);
        return bytes;
    }

    /// <summary>A tensor's bytes to be read when they are needed; the file stays open until the last such tensor is gone.</summary>
    /// <param name="tensor">The tensor's name, for errors.</param>
    /// <param name="entries">The tensor's external_data entries.</param>
    /// <param name="expectedBytes">The size that shape and type ask for.</param>
    /// <returns>The bytes, or null when there are more than one constant can have.</returns>
    public StoredBytes? TryLeave(string tensor, IEnumerable<KeyValuePair<string, string>> entries, long expectedBytes)
    {
        (string location, OpenFile file, long offset) = Find(tensor, entries, expectedBytes);
        if (expectedBytes > Array.MaxLength)
        {
            return null;
        }
        if (_left.TryGetValue((location, offset, expectedBytes), out StoredBytes? known))
        {
            return known;
        }
        Count(tensor, location, file, expectedBytes);
        file.Stays ??= new UnchangedFile(file.Handle);
        var part = new FilePart(file.Stays, offset, expectedBytes, tensor);
        _left.Add((location, offset, expectedBytes), part);
        return part;
    }

    private static void Count(string tensor, string location, OpenFile file, long bytes)
    {
        file.BytesRead += bytes;
        if (file.BytesRead > file.Length * MaxReadsOfAFile)
        {
            throw OnnxErrors.BadExternalData(
                tensor,
                $"tensors overlap in the external data file '{location}'",
                $"together they are more than {MaxReadsOfAFile} times as large as the file",
                "export the model again");
        }
    }

    private (string Location, OpenFile File, long Offset) Find(
        string tensor, IEnumerable<KeyValuePair<string, string>> entries, long expectedBytes)
    {
        string? location = null;
        long offset = 0;
        long? length = null;
        foreach ((string key, string value) in entries)
        {
            switch (key)
            {
                case "location":
                    location = value;
                    break;
                case "offset":
                    offset = Number(tensor, key, value);
                    break;
                case "length":
                    length = Number(tensor, key, value);
                    break;
                default: // checksum and keys of later versions do not say where the bytes are
                    break;
            }
        }

        if (location is null)
        {
            throw OnnxErrors.BadExternalData(
                tensor, "a tensor with external data names no file", "the entry 'location' is missing", "export the model again");
        }

        if (length is not null && length != expectedBytes)
        {
            throw OnnxErrors.BadExternalData(
                tensor,
                $"the external data of a tensor is {length} bytes long, its shape and type ask for {expectedBytes}",
                "the entry 'length' contradicts the shape",
                "export the model again");
        }

        OpenFile file = Open(tensor, location);
        if (offset > file.Length || expectedBytes > file.Length - offset)
        {
            throw OnnxErrors.BadExternalData(
                tensor,
                $"external data ends after the file: bytes {offset}..{(Int128)offset + expectedBytes} of '{location}'",
                $"the file has {file.Length} bytes",
                "copy the data file again; it may be cut off or belong to another model");
        }

        return (location, file, offset);
    }

    public void Dispose()
    {
        foreach (OpenFile file in _files.Values.Where(f => f.Stays is null))
        {
            file.Handle.Dispose();
        }

        _files.Clear();
    }

    private static byte[] ReadBytes(string tensor, string location, OpenFile file, long offset, long length)
    {
        if (length > Array.MaxLength)
        {
            throw OnnxErrors.BadExternalData(
                tensor, $"a tensor of {length} bytes is too large", $"one tensor can have {Array.MaxLength} bytes", "split it");
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        int filled = 0;
        while (filled < bytes.Length)
        {
            int read = RandomAccess.Read(file.Handle, bytes.AsSpan(filled), offset + filled);
            if (read == 0)
            {
                throw OnnxErrors.BadExternalData(
                    tensor, $"the file '{location}' became shorter while it was read", "another program changes it", "try again");
            }

            filled += read;
        }

        return bytes;
    }

    private static long Number(string tensor, string key, string value)
    {
        if (long.TryParse(
            value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number))
        {
            return number;
        }

        throw OnnxErrors.BadExternalData(
            tensor, $"the entry '{key}' of external data is '{value}'", "it must be a number of bytes, not negative", "export again");
    }

    private OpenFile Open(string tensor, string location)
    {
        if (_files.TryGetValue(location, out OpenFile? open))
        {
            return open;
        }

        string path = Resolve(tensor, location);
        try
        {
            SafeFileHandle handle = File.OpenHandle(path, share: FileShare.Read | FileShare.Delete);
            open = new OpenFile(handle, RandomAccess.GetLength(handle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OnnxErrors.BadExternalData(
                tensor, $"the external data file '{location}' cannot be read", e.Message, "check the file's permissions");
        }

        _files.Add(location, open);
        return open;
    }

    private string Resolve(string tensor, string location)
    {
        if (folder is null)
        {
            throw OnnxErrors.BadExternalData(
                tensor, $"external data '{location}' of a model that has no folder", "the model was not loaded from a path",
                "load it from its path");
        }

        string[] parts = location.Split('/', '\\');
        bool escapes = Path.IsPathRooted(location) || location.Contains(':') || location.Contains('\0') ||
            parts.Any(part => part is ".." or "");
        if (escapes)
        {
            throw OnnxErrors.BadExternalData(
                tensor, $"external data '{Shown(location)}' is outside of the model's folder",
                "a location must be a relative path without '..'", "keep the data file beside the model");
        }

        string path = folder;
        foreach (string part in parts)
        {
            path = Path.Join(path, part);
            if (new FileInfo(path).LinkTarget is not null)
            {
                throw OnnxErrors.BadExternalData(
                    tensor, $"external data '{Shown(location)}' is a link", "links could lead out of the model's folder",
                    "put the file itself there");
            }
        }

        if (!File.Exists(path))
        {
            throw OnnxErrors.BadExternalData(
                tensor, $"the external data file '{Shown(location)}' does not exist", $"looked for it in {folder}",
                "copy the data file beside the model");
        }

        // Pipes and devices report no length; opening one could block for ever.
        return new FileInfo(path).Length > 0 ? path : throw OnnxErrors.BadExternalData(
            tensor, $"the external data file '{Shown(location)}' is empty or not a regular file", "it has no bytes to read",
            "copy the data file again");
    }

    private static string Shown(string location) => location.Length <= 200 ? location.Replace('\0', '?') : location[..200] + "...";

    private sealed class OpenFile(SafeFileHandle handle, long length)
    {
        public SafeFileHandle Handle { get; } = handle;

        public long Length { get; } = length;

        public long BytesRead { get; set; }

        /// <summary>Set when tensors were left in the file.</summary>
        public UnchangedFile? Stays { get; set; }
    }
}
