using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// Memory of the host that an interpreted device reaches by itself: it is read and written when work is done, not when
/// it is put in.
/// </summary>
internal sealed unsafe class InterpretedHostMemory : GpuHostMemory
{
    private readonly ConcurrentDictionary<nint, long> _pieces = [];

    /// <summary>Takes memory.</summary>
    public NativeBlock Allocate(long bytes)
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
