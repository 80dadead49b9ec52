using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Memory of the host that an interpreted device reaches by itself: it is read and written when work is done, not when it is put in.</summary>
internal abstract unsafe class GpuHostMemoryOf : GpuHostMemory
{
    private readonly ConcurrentDictionary<nint, long> _pieces = [];

    /// <summary>Takes memory.</summary>
    public NativeBlock AllocateHost(long bytes)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), NativeBlock.Alignment);
        _pieces[address] = bytes;
        return NativeBlock.Adopt(address, bytes, this);
    }

    /// <summary>Whether memory of the host is such memory.</summary>
    public bool IsPinned(void* address)
    {
        foreach ((nint begin, long bytes) in _pieces)
        {
            if ((nint)address >= begin && (nint)address < begin + (nint)Math.Max(bytes, 1))
            {
                return true;
            }
        }
        return false;
    }

    /// <inheritdoc/>
    public override void Free(nint address)
    {
        _pieces.TryRemove(address, out _);
        NativeMemory.AlignedFree((void*)address);
    }
}

/// <summary>Bytes of native memory as memory of .NET.</summary>
/// <param name="pointer">The first byte.</param>
/// <param name="length">How many.</param>
internal sealed unsafe class UnmanagedBytes(byte* pointer, long length) : System.Buffers.MemoryManager<byte>
{
    /// <summary>Sets all bytes.</summary>
    public void Fill(byte value)
    {
        for (long at = 0; at < length; at += int.MaxValue)
        {
            new Span<byte>(pointer + at, (int)Math.Min(int.MaxValue, length - at)).Fill(value);
        }
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(pointer, checked((int)length));

    /// <inheritdoc/>
    public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => new(pointer + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Native memory does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The memory belongs to somebody else.
    }
}
