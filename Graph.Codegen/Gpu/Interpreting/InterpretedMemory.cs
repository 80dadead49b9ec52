using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>The memory of an <see cref="InterpretedGpu"/>: pieces of the host's under addresses that mean nothing there.</summary>
/// <param name="capacity">The most bytes of all pieces together.</param>
internal sealed unsafe class InterpretedMemory(long capacity)
{
    private const nint First = 0x10_0000;
    private const long Alignment = 256;
    private const long Gap = 4096; // so that the end of one piece is not the beginning of another
    private const byte Rubbish = 0xCD;

    private readonly Lock _lock = new();
    private readonly SortedList<nint, byte[]> _pieces = [];
    private long _used;
    private nint _next = First;

    /// <summary>Takes memory; null when there is not enough.</summary>
    public nint? TryAllocate(long bytes)
    {
        lock (_lock)
        {
            if (bytes > capacity - _used || bytes > Array.MaxLength)
            {
                return null;
            }
            byte[] piece = GC.AllocateUninitializedArray<byte>((int)bytes, pinned: true);
            Array.Fill(piece, Rubbish);
            nint address = _next;
            _pieces.Add(address, piece);
            _used += bytes;
            _next += (nint)((bytes + Gap + Alignment - 1) & ~(Alignment - 1));
            return address;
        }
    }

    /// <summary>Frees memory: whoever comes to use it finds nothing.</summary>
    public void Free(nint address)
    {
        lock (_lock)
        {
            if (_pieces.Remove(address, out byte[]? piece))
            {
                _used -= piece.Length;
            }
        }
    }

    /// <summary>Frees everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _pieces.Clear();
        }
    }

    /// <summary>Where bytes really are. They stay there until they are freed.</summary>
    /// <exception cref="CompilerBugException">They are not all in one piece, or were freed.</exception>
    public byte* At(nint address, long bytes)
    {
        Memory<byte> memory = Find(address, bytes);
        return (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory.Span)); // pinned
    }

    /// <summary>Bytes as kernels get them.</summary>
    /// <exception cref="CompilerBugException">They are not all in one piece, or were freed.</exception>
    public Memory<byte> Find(nint address, long bytes)
    {
        lock (_lock)
        {
            int place = PlaceOf(address);
            if (place >= 0)
            {
                long offset = address - _pieces.Keys[place];
                byte[] piece = _pieces.Values[place];
                if (bytes <= piece.Length - offset)
                {
                    return piece.AsMemory((int)offset, (int)bytes);
                }
            }
            throw new CompilerBugException("interpreted GPU", $"{bytes} bytes at address {address:x} are not memory that is there");
        }
    }

    // The last piece that begins at an address or before it.
    private int PlaceOf(nint address)
    {
        int low = 0, high = _pieces.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_pieces.Keys[middle] <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return high;
    }
}
