using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Files.Interop;

/// <summary>What Linux says about open files and .NET does not hand on. Callers check the platform.</summary>
internal static unsafe partial class LinuxFiles
{
    private const string Library = "libc";
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicStatsAndBirth = 0xFFF; // STATX_BASIC_STATS | STATX_BTIME
    private const int StatBytes = 256;

    // fcntl.h: the kernel's numbers, the same on all processors that .NET runs on.
    private const int SetSignal = 10; // F_SETSIG
    private const int SetLease = 1024; // F_SETLEASE
    private const int ReadLease = 0; // F_RDLCK
    private const int NoLease = 2; // F_UNLCK
    private const int IgnoredSignal = 23; // SIGURG, which does nothing to a process that does not ask for it

    /// <summary>The fields of <c>struct statx</c> that tell states of a file apart; null when the system does not say.</summary>
    public static FileFacts? Describe(SafeFileHandle file)
    {
        byte* stat = stackalloc byte[StatBytes];
        try
        {
            if (Statx(file, "", EmptyPath, BasicStatsAndBirth, stat) != 0)
            {
                return null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return null; // a C library from before 2018
        }
        return new FileFacts(
            *(uint*)(stat + 136), *(uint*)(stat + 140), *(ulong*)(stat + 32), *(ulong*)(stat + 40), *(ushort*)(stat + 28),
            Time(stat + 80), Time(stat + 112), Time(stat + 96));
    }

    /// <summary>The number of the kind of file system that a file is on, as in linux/magic.h; 0 when the system does not say.</summary>
    public static long FileSystem(SafeFileHandle file)
    {
        byte* stat = stackalloc byte[StatBytes];
        return Fstatfs(file, stat) == 0 ? *(nint*)stat : 0;
    }

    /// <summary>Whether it is certain that nobody has the file open for writing, or mapped so, at this moment.</summary>
    /// <remarks>
    /// Linux grants a lease for reading only then, to the owner of the file. Somebody who opens the file for writing while it is
    /// held waits until it is given back; the signal that asks for it is one that is ignored.
    /// </remarks>
    public static bool HasNoWriters(SafeFileHandle file)
    {
        if (Fcntl(file, SetSignal, IgnoredSignal) != 0 || Fcntl(file, SetLease, ReadLease) != 0)
        {
            return false;
        }
        _ = Fcntl(file, SetLease, NoLease);
        return true;
    }

    private static (long Seconds, uint Nanoseconds) Time(byte* at) => (*(long*)at, *(uint*)(at + 8));

    [LibraryImport(Library, EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle folder, string path, int flags, uint mask, byte* stat);

    [LibraryImport(Library, EntryPoint = "fstatfs")]
    private static partial int Fstatfs(SafeFileHandle file, byte* stat);

    // Variadic in C. The two arguments that are named and an integer behind them travel as in a plain call on Linux.
    [LibraryImport(Library, EntryPoint = "fcntl")]
    private static partial int Fcntl(SafeFileHandle file, int command, int argument);
}

/// <summary>What a file system knows about a file.</summary>
internal readonly record struct FileFacts(
    uint DeviceMajor, uint DeviceMinor, ulong Inode, ulong Size, ushort Mode, (long Seconds, uint Nanoseconds) Born,
    (long Seconds, uint Nanoseconds) Written, (long Seconds, uint Nanoseconds) Changed);
