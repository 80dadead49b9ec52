using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>A block of native memory for tensors: aligned, outside the garbage-collected heap, freed exactly
/// once.</summary>
/// <remarks>
/// Blocks start at a cache line (64 bytes), from a page upwards at a page, and from 4 MiB upwards at 2 MiB with the
/// advice to back
/// them by huge pages: a weight matrix or an arena then costs a few entries of the address cache rather than thousands.
/// The content is not cleared.
/// </remarks>
public sealed unsafe class NativeBlock : SafeHandle
{
    /// <summary>The alignment of every block, and of every buffer inside an arena.</summary>
    public const int Alignment = 64;

    private const nuint Page = 4096;
    private const nuint HugePage = 2 << 20;
    private static long _liveBytes;
    private static long _liveBlocks;

    private readonly GpuHostMemory? _owner;

    private NativeBlock(nuint length)
        : base(0, ownsHandle: true)
    {
        Length = length;
        nuint alignment = length >= 2 * HugePage ? HugePage : length >= Page ? Page : Alignment;
        // Rounded up so that vector code may read (never write) up to the end of the last line.
        nuint size = (length + Alignment - 1) & ~(nuint)(Alignment - 1);
        void* memory = NativeMemory.AlignedAlloc(Math.Max(size, Alignment), alignment);
        SetHandle((nint)memory);
        Interlocked.Add(ref _liveBytes, (long)length);
        Interlocked.Increment(ref _liveBlocks);
        if (alignment == HugePage && OperatingSystem.IsLinux())
        {
            // Advice: where huge pages are switched off the call fails and small pages serve as well.
            _ = Libc.Madvise(memory, size & ~(HugePage - 1), Libc.MadviseHugePage);
        }
    }

    private NativeBlock(nint address, nuint length, GpuHostMemory owner)
        : base(0, ownsHandle: true)
    {
        Length = length;
        _owner = owner;
        SetHandle(address);
        Interlocked.Add(ref _liveBytes, (long)length);
        Interlocked.Increment(ref _liveBlocks);
    }

    /// <summary>Bytes in all blocks that are not freed; equal before and after whatever must not leak.</summary>
    public static long LiveBytes => Interlocked.Read(ref _liveBytes);

    /// <summary>How many blocks are not freed.</summary>
    public static long LiveBlocks => Interlocked.Read(ref _liveBlocks);

    /// <summary>The size in bytes that was asked for.</summary>
    public nuint Length { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The first byte. Valid until the block is disposed; keep the block reachable while it is used.</summary>
    public byte* Pointer => (byte*)handle;

    /// <summary>Allocates a block.</summary>
    /// <param name="length">Size in bytes; 0 gives a valid block that holds nothing.</param>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public static NativeBlock Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new NativeBlock((nuint)length);
    }

    /// <summary>Takes memory of the host that a device manages.</summary>
    /// <param name="address">At least <paramref name="length"/> bytes.</param>
    /// <param name="length">The size in bytes.</param>
    /// <param name="owner">Frees it.</param>
    internal static NativeBlock Adopt(nint address, long length, GpuHostMemory owner) => new(address, (nuint)length, owner);

    /// <summary>A view of bytes inside the block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie inside.</exception>
    public Span<byte> Bytes(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset + (uint)length, Length);
        return new Span<byte>(Pointer + offset, length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_owner is null)
        {
            NativeMemory.AlignedFree((void*)handle);
        }
        else
        {
            _owner.Free(handle);
        }
        Interlocked.Add(ref _liveBytes, -(long)Length);
        Interlocked.Decrement(ref _liveBlocks);
        return true;
    }
}
