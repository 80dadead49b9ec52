using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime;

/// <summary>Pages of memory whose protection can be changed. They are never writable and executable at once.</summary>
internal static partial class MemoryPages
{
    private const int SizeOnX64 = 4096;
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int ProtectExecute = 4;
    private const int MapShared = 1;
    private const int MapPrivate = 2;

    private const uint CommitAndReserve = 0x3000;
    private const uint Release = 0x8000;
    private const uint PageReadOnly = 0x02;
    private const uint PageReadWrite = 0x04;
    private const uint PageExecuteRead = 0x20;

    /// <summary>The bytes of a page.</summary>
    public static int Size => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? SizeOnX64 : Environment.SystemPageSize;

    private static int MapAnonymous => OperatingSystem.IsLinux() ? 0x20 : 0x1000;

    /// <summary>Allocates zeroed pages that can be read and written.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no room.</exception>
    public static nint Allocate(nint size) => TryAllocate(size) is var address and not 0
        ? address
        : throw new InsufficientMemoryException($"no {size} bytes for machine code: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>Allocates zeroed pages that can be read and written; 0 when the system has no room.</summary>
    public static nint TryAllocate(nint size)
    {
        nint address = OperatingSystem.IsWindows()
            ? VirtualAlloc(0, size, CommitAndReserve, PageReadWrite)
            : Map(0, size, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
        return address == -1 ? 0 : address;
    }

    /// <summary>Maps a file's bytes to be read, on Unix.</summary>
    /// <exception cref="IOException">The system does not map it.</exception>
    public static nint MapFile(SafeFileHandle file, nint length)
    {
        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            nint address = Map(0, length, ProtectRead, MapShared, (int)file.DangerousGetHandle(), 0);
            return address != -1
                ? address
                : throw new IOException($"the file cannot be mapped to memory: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>Makes pages executable, and lets the processor see the instructions written to them.</summary>
    public static void MakeExecutable(nint address, nint size)
    {
        Protect(address, size, ProtectRead | ProtectExecute, PageExecuteRead);
        InstructionCache.Flush(address, size);
    }

    /// <summary>Makes pages executable; false when the system refuses.</summary>
    public static bool TryMakeExecutable(nint address, nint size)
    {
        bool done = TryProtect(address, size, ProtectRead | ProtectExecute, PageExecuteRead);
        if (done)
        {
            InstructionCache.Flush(address, size);
        }
        return done;
    }

    /// <summary>Makes pages readable only.</summary>
    public static void MakeReadOnly(nint address, nint size) => Protect(address, size, ProtectRead, PageReadOnly);

    /// <summary>Makes pages readable only; false when the system refuses.</summary>
    public static bool TryMakeReadOnly(nint address, nint size) => TryProtect(address, size, ProtectRead, PageReadOnly);

    /// <summary>Gives pages back.</summary>
    public static bool Free(nint address, nint size) =>
        OperatingSystem.IsWindows() ? VirtualFree(address, 0, Release) : Unmap(address, size) == 0;

    private static void Protect(nint address, nint size, int protection, uint windowsProtection)
    {
        if (!TryProtect(address, size, protection, windowsProtection))
        {
            throw new InvalidOperationException(
                "the system does not let memory become executable: " + Marshal.GetLastPInvokeErrorMessage());
        }
    }

    private static bool TryProtect(nint address, nint size, int protection, uint windowsProtection) =>
        OperatingSystem.IsWindows()
            ? VirtualProtect(address, size, windowsProtection, out _)
            : ChangeProtection(address, size, protection) == 0;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint size, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int ChangeProtection(nint address, nint size, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nint size);

    [LibraryImport("kernel32", EntryPoint = "VirtualAlloc", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nint size, uint type, uint protection);

    [LibraryImport("kernel32", EntryPoint = "VirtualProtect", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nint size, uint protection, out uint old);

    [LibraryImport("kernel32", EntryPoint = "VirtualFree", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nint size, uint type);
}
