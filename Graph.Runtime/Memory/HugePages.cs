using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>
/// Moves read-only memory that a file is mapped to into huge pages, at the same addresses and while others read it.
/// </summary>
/// <remarks>
/// Files are mapped in pages of 4 KiB: reading weights of hundreds of megabytes then waits for the address cache, and the processor
/// fetches nothing ahead across a page's end. A piece after the other is copied to new memory of 2 MiB pages, which takes the place
/// of the mapping in one step of the system. Who reads meanwhile meets the same bytes before and after.
/// </remarks>
internal static unsafe class HugePages
{
    private const long PageBytes = 2 << 20;
    private const long PieceBytes = 2 * PageBytes;
    private const int SmallPageBytes = 4096;
    private const ulong IsPresent = 1UL << 63; // in an entry of /proc/self/pagemap
    private const string Setting = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// <summary>Whether the system gives huge pages of 2 MiB, beside small ones of 4 KiB, to those who ask.</summary>
    public static bool AreAvailable { get; } =
        OperatingSystem.IsLinux() && Environment.SystemPageSize == SmallPageBytes && ReadSetting() is { } setting &&
        (setting.Contains("[madvise]", StringComparison.Ordinal) || setting.Contains("[always]", StringComparison.Ordinal));

    /// <summary>Moves the whole huge pages inside a range. What hardly anybody has read, rows of a table, stays in the file.</summary>
    /// <param name="start">The first byte of read-only memory that nobody unmaps meanwhile.</param>
    /// <param name="length">Its size in bytes.</param>
    /// <param name="isWanted">Asked before each piece; no ends the work.</param>
    /// <returns>Bytes that were moved; what was not stays as it was.</returns>
    public static long Move(byte* start, long length, Func<bool> isWanted)
    {
        byte* first = (byte*)(((nint)start + PageBytes - 1) & ~(nint)(PageBytes - 1));
        long whole = (start + length - first) / PageBytes * PageBytes;
        long moved = 0;
        using FileStream? pages = OpenPageTable();
        for (long at = 0; at < whole && isWanted(); at += PieceBytes)
        {
            long piece = Math.Min(PieceBytes, whole - at);
            if (!IsInUse(pages, first + at, piece))
            {
                continue;
            }
            if (!TryMove(first + at, piece))
            {
                break;
            }
            moved += piece;
        }
        return moved;
    }

    // Half of its pages were touched; all are when nobody can tell.
    private static bool IsInUse(FileStream? pages, byte* piece, long length)
    {
        Span<ulong> entries = stackalloc ulong[(int)(length / SmallPageBytes)];
        if (pages is null)
        {
            return true;
        }
        try
        {
            pages.Position = (long)((nuint)piece / SmallPageBytes * sizeof(ulong));
            pages.ReadExactly(MemoryMarshal.AsBytes(entries));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return true; // nobody waits for this thread who could be told
        }
        int present = 0;
        foreach (ulong entry in entries)
        {
            present += (entry & IsPresent) != 0 ? 1 : 0;
        }
        return present >= entries.Length / 2;
    }

    private static FileStream? OpenPageTable()
    {
        try
        {
            return new FileStream("/proc/self/pagemap", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool TryMove(byte* target, long length)
    {
        // One page more than needed, so that whole huge pages lie inside; what is around them goes back.
        nint reserved = (nint)(length + PageBytes);
        nint memory = MemoryPages.TryAllocate(reserved);
        if (memory == 0)
        {
            return false;
        }
        nint piece = (memory + (nint)PageBytes - 1) & ~(nint)(PageBytes - 1);
        bool done = Libc.Madvise((byte*)piece, (nuint)length, Libc.MadviseHugePage) == 0;
        if (done)
        {
            NativeMemory.Copy(target, (byte*)piece, (nuint)length);
            done = MemoryPages.TryMakeReadOnly(piece, (nint)length) && Libc.MoveMapping((byte*)piece, (nuint)length, target);
        }
        if (!done)
        {
            MemoryPages.Free(memory, reserved);
            return false;
        }
        FreeUnlessEmpty(memory, piece - memory);
        FreeUnlessEmpty(piece + (nint)length, reserved - (piece - memory) - (nint)length);
        return true;
    }

    private static void FreeUnlessEmpty(nint address, nint size)
    {
        if (size > 0)
        {
            MemoryPages.Free(address, size);
        }
    }

    private static string? ReadSetting()
    {
        try
        {
            return File.ReadAllText(Setting);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // a kernel without them
        }
    }
}
