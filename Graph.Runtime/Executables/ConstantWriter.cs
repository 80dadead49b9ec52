using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Graphene.Runtime;

/// <summary>Packs constants one behind the other, each at a multiple of 64 bytes.</summary>
/// <remarks>Used in two rounds: reserve room for every constant, then fill the one block that holds them all.</remarks>
public sealed class ConstantWriter
{
    // Below this a second thread costs more than it saves.
    private const long BytesWorthThreads = 1 << 20;

    private readonly List<(long Offset, long Length, Action<Span<byte>> Write)> _parts = [];
    private long _length;

    /// <summary>The bytes needed so far.</summary>
    public long Length => _length;

    /// <summary>Adds a constant; its bytes must not change before <see cref="ToData"/>.</summary>
    /// <returns>The offset for <see cref="BufferSpec.Constant"/>.</returns>
    public long Add(ReadOnlyMemory<byte> bytes) => Add(bytes.Length, target => bytes.Span.CopyTo(target));

    /// <summary>Adds a constant that is written when its place is there.</summary>
    /// <param name="length">Its size in bytes.</param>
    /// <param name="write">Fills the place, whatever it held before; may run on any thread, beside the others.</param>
    /// <returns>The offset for <see cref="BufferSpec.Constant"/>.</returns>
    public long Add(long length, Action<Span<byte>> write)
    {
        const long Mask = NativeBlock.Alignment - 1;
        long offset = checked(_length + Mask) & ~Mask;
        _parts.Add((offset, length, write));
        _length = checked(offset + length);
        return offset;
    }

    /// <summary>Writes everything into one block.</summary>
    public ConstantData ToData()
    {
        if (_length == 0)
        {
            return ConstantData.Empty;
        }
        NativeBlock block = NativeBlock.Allocate(_length);
        long end = 0;
        foreach (var (offset, length, _) in _parts)
        {
            // The gaps go into files and into their hashes, so they are defined, too.
            block.Bytes(end, (int)(offset - end)).Clear();
            end = offset + length;
        }
        try
        {
            WriteParts(block);
            return ConstantData.Of(block, _length);
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }

    // The longest first, so that no thread begins it when the others are done.
    private void WriteParts(NativeBlock block)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = _length < BytesWorthThreads ? 1 : -1 };
        var parts = Partitioner.Create(_parts.OrderByDescending(p => p.Length), EnumerablePartitionerOptions.NoBuffering);
        try
        {
            Parallel.ForEach(parts, options, part => part.Write(block.Bytes(part.Offset, checked((int)part.Length))));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
