using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Bytes with random access: a file that is open, or memory.</summary>
/// <remarks>
/// Files are read, never mapped: when another process shortens a mapped file, touching the lost pages ends our process.
/// </remarks>
internal sealed class ByteSource : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly UnchangedFile? _stays;

    /// <param name="file">An open file.</param>
    /// <param name="stays">Whether parts may be left in it; then it stays open until the last of them is gone.</param>
    public ByteSource(SafeFileHandle file, bool stays = false)
    {
        _file = file;
        Length = RandomAccess.GetLength(file);
        _stays = stays ? new UnchangedFile(file) : null;
    }

    public ByteSource(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        Length = memory.Length;
    }

    public long Length { get; }

    /// <summary>A part as memory of its own; a part of memory is handed on without a copy.</summary>
    /// <exception cref="EndOfStreamException">The file became shorter.</exception>
    public ReadOnlyMemory<byte> ReadPart(long offset, int length)
    {
        if (_file is null)
        {
            return _memory.Slice((int)offset, length);
        }
        byte[] part = GC.AllocateUninitializedArray<byte>(length);
        return Read(offset, part) == length ? part : throw new EndOfStreamException($"byte {offset + length} is beyond the end");
    }

    /// <summary>A part that is read when it is needed; null for memory, of which nothing need be read.</summary>
    /// <param name="offset">Where it begins.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="name">Of the tensor, for errors.</param>
    public StoredBytes? TryLeave(long offset, long length, string name) =>
        _stays is null ? null : new FilePart(_stays, offset, length, name);

    /// <summary>Fills as much of <paramref name="target"/> as there are bytes; returns how many.</summary>
    public int Read(long offset, Span<byte> target)
    {
        if (_file is null)
        {
            int count = (int)Math.Clamp(Length - offset, 0, target.Length);
            _memory.Span.Slice((int)offset, count).CopyTo(target);
            return count;
        }

        int filled = 0;
        while (filled < target.Length)
        {
            int read = RandomAccess.Read(_file, target[filled..], offset + filled);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    public void Dispose()
    {
        if (_stays is null)
        {
            _file?.Dispose();
        }
    }
}
