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

    public ByteSource(SafeFileHandle file)
    {
        _file = file;
        Length = RandomAccess.GetLength(file);
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

    public void Dispose() => _file?.Dispose();
}
