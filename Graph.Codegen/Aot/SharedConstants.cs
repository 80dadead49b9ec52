using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Graphene.Codegen.Aot;

/// <summary>The constants of several compiled graphs in one block of memory: equal bytes are there once, whoever adds them.</summary>
internal sealed class SharedConstants
{
    /// <summary>Every constant begins at a multiple of this.</summary>
    public const int AlignmentInBytes = 64;

    private readonly Dictionary<string, Entry> _known = new(StringComparer.Ordinal);
    private readonly List<(Entry Entry, byte[] Bytes)> _added = [];

    /// <summary>One constant.</summary>
    /// <param name="Hash">The SHA-256 of its bytes.</param>
    /// <param name="Offset">Where it begins.</param>
    /// <param name="Length">Its size in bytes.</param>
    internal sealed record Entry(byte[] Hash, long Offset, long Length);

    /// <param name="start">The offset of the first constant that is added.</param>
    public SharedConstants(long start = 0) => End = start;

    /// <summary>The offset behind the last constant.</summary>
    public long End { get; private set; }

    /// <summary>All constants, in the order of their offsets.</summary>
    public List<Entry> Entries { get; } = [];

    /// <summary>Those that <see cref="Add"/> returned, each once.</summary>
    public HashSet<Entry> Used { get; } = [];

    /// <summary>Tells of a constant that is there already.</summary>
    public void Know(Entry entry)
    {
        _known.TryAdd(Key(entry.Hash, entry.Length), entry);
        Entries.Add(entry);
        End = Math.Max(End, entry.Offset + entry.Length);
    }

    /// <summary>Adds a constant unless it is there.</summary>
    /// <param name="length">Its size in bytes.</param>
    /// <param name="write">Writes it.</param>
    /// <returns>Its offset.</returns>
    public long Add(long length, Action<Span<byte>> write)
    {
        var bytes = new byte[checked((int)length)];
        write(bytes);
        byte[] hash = SHA256.HashData(bytes);
        string key = Key(hash, length);
        if (!_known.TryGetValue(key, out Entry? entry))
        {
            const long Mask = AlignmentInBytes - 1;
            entry = new Entry(hash, (End + Mask) & ~Mask, length);
            End = entry.Offset + length;
            _known.Add(key, entry);
            Entries.Add(entry);
            _added.Add((entry, bytes));
        }
        Used.Add(entry);
        return entry.Offset;
    }

    /// <summary>Writes what was added; the bytes between constants stay as they are.</summary>
    /// <param name="target">The memory from offset 0 on, up to <see cref="End"/>.</param>
    public void WriteTo(Span<byte> target)
    {
        foreach ((Entry entry, byte[] bytes) in _added)
        {
            bytes.CopyTo(target[checked((int)entry.Offset)..]);
        }
    }

    private static string Key(byte[] hash, long length)
    {
        Span<byte> size = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(size, length);
        return Convert.ToHexString(hash) + Convert.ToHexString(size);
    }
}
