using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>A file of named tensors in the safetensors format, open for reading.</summary>
/// <remarks>
/// <para>
/// A file is taken as hostile: its header is checked before memory is allocated for any tensor, and a tensor takes as much memory as
/// it takes of the file. Elements are read when they are asked for.
/// </para>
/// <para>Files that Graphene writes carry the SHA-256 of their content in the metadata; <see cref="Verify"/> computes it
/// again. Files of others have none.</para>
/// <para>One thread at a time may read.</para>
/// </remarks>
public sealed class SafetensorsFile : INamedTensors, IDisposable
{
    /// <summary>The most bytes that a header may have: room for some hundred thousand tensors.</summary>
    public const int MaxHeaderBytes = 32 << 20;

    private const int PrefixLength = sizeof(ulong);
    private readonly FileStream _stream;
    private readonly SafetensorsHeader _header;
    private readonly long _dataAt;

    private SafetensorsFile(string path, FileStream stream)
    {
        Name = path;
        _stream = stream;
        byte[] json = ReadHeader();
        _dataAt = PrefixLength + json.Length;
        try
        {
            _header = SafetensorsHeader.Parse(json, stream.Length - _dataAt);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(e.Message);
        }
        if (_header.DigestAt >= 0)
        {
            Digest = _header.Metadata[SafetensorsHeader.DigestKey];
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _header.Entries.Keys;

    /// <summary>What the writer said beside the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The SHA-256 of the content that the file says it has; null in files of others.</summary>
    public string? Digest { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GraphException">GR6301: it cannot be opened; GR6302: it is no safetensors file, or is cut off.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            return new SafetensorsFile(path, stream);
        }
        catch (Exception e)
        {
            stream?.Dispose();
            if (CheckpointAccess.IsFailure(e))
            {
                throw CheckpointAccess.Error(path, e);
            }
            throw;
        }
    }

    /// <summary>Writes a file at once: whoever opens the path finds the old file or the new one, whole, also after a crash.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="metadata">What to say beside them; names that begin with <c>graphene.</c> are Graphene's.</param>
    /// <returns>The SHA-256 of the content, which the file carries, too.</returns>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    /// <exception cref="GraphException">GR6301: the file cannot be written.</exception>
    public static string Write(
        string path, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var writer = new SafetensorsWriter(tensors, metadata);
        try
        {
            string digest = "";
            AtomicFile.Write(path, stream => digest = writer.Write(stream), FolderSync.Sync);
            return digest;
        }
        catch (Exception e) when (CheckpointAccess.IsFailure(e))
        {
            throw CheckpointAccess.Error(path, e);
        }
    }

    /// <inheritdoc/>
    public TensorType? TypeOf(string name) => _header.Entries.TryGetValue(name, out SafetensorsEntry entry) ? entry.Type : null;

    /// <inheritdoc/>
    public Literal Read(string name)
    {
        if (!_header.Entries.TryGetValue(name, out SafetensorsEntry entry))
        {
            throw new KeyNotFoundException($"{Name} has no tensor '{name}'");
        }
        if (entry.Length > Array.MaxLength)
        {
            throw new GraphException(
                RuntimeDiagnostics.CheckpointTooLarge, $"{Name}: tensor '{name}' {entry.Type} has {entry.Length} bytes", Name,
                $"a value may have up to {Array.MaxLength} bytes", "split the tensor");
        }
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)entry.Length);
        ReadExactly(_dataAt + entry.Begin, bytes);
        if (entry.Type.DType == DType.Bool)
        {
            // Whoever computes with a bool relies on 0 and 1; a file may hold anything.
            foreach (ref byte b in bytes.AsSpan())
            {
                b = b != 0 ? (byte)1 : (byte)0;
            }
        }
        return new Literal(entry.Type, bytes);
    }

    /// <summary>Reads the whole file once and compares its content with its digest.</summary>
    /// <returns>False when the file carries no digest, so that nothing could be compared.</returns>
    /// <exception cref="GraphException">GR6302: the content is not what was written.</exception>
    public bool Verify()
    {
        if (Digest is null)
        {
            return false;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            long digestAt = PrefixLength + _header.DigestAt;
            long length = _stream.Length;
            for (long at = 0; at < length;)
            {
                Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
                ReadExactly(at, piece);
                Blank(piece, digestAt - at);
                hash.AppendData(piece);
                at += piece.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        string actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        return actual == Digest ? true : throw Damaged($"its content has the SHA-256 {actual}, it was written with {Digest}");
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    // The digest is computed with zeros in its own place.
    private static void Blank(Span<byte> piece, long digestAt)
    {
        long begin = Math.Max(digestAt, 0);
        long end = Math.Min(digestAt + SafetensorsHeader.DigestLength, piece.Length);
        if (begin < end)
        {
            piece[(int)begin..(int)end].Fill((byte)'0');
        }
    }

    private byte[] ReadHeader()
    {
        Span<byte> prefix = stackalloc byte[PrefixLength];
        long length = _stream.Length;
        if (length < PrefixLength)
        {
            throw Damaged($"{length} bytes are no safetensors file");
        }
        ReadExactly(0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > (ulong)(length - PrefixLength))
        {
            throw Damaged($"its header should have {headerLength} bytes, but {length - PrefixLength} follow");
        }
        if (headerLength > MaxHeaderBytes)
        {
            throw new GraphException(
                RuntimeDiagnostics.CheckpointTooLarge, $"{Name}: a header of {headerLength} bytes is too long", Name,
                $"a header may have up to {MaxHeaderBytes} bytes", "split the file");
        }
        byte[] json = new byte[headerLength];
        ReadExactly(PrefixLength, json);
        return json;
    }

    private void ReadExactly(long at, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_stream.SafeFileHandle, bytes, at);
            if (read == 0)
            {
                throw Damaged("it became shorter while it was read");
            }
            bytes = bytes[read..];
            at += read;
        }
    }

    private GraphException Damaged(string problem) => new(
        RuntimeDiagnostics.CheckpointDamaged, $"{Name}: {problem}", Name, fix: "use another checkpoint, or save this one again");
}
