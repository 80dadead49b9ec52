using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime.Interop;

/// <summary>The few functions of the C library that .NET has no API for. Linux only, where nothing else is said; callers check
/// the platform.</summary>
internal static unsafe partial class Libc
{
    /// <summary>MADV_HUGEPAGE of linux/mman.h.</summary>
    public const int MadviseHugePage = 14;

    /// <summary>MADV_DONTNEED of linux/mman.h.</summary>
    public const int MadviseDontNeed = 4;

    private const string Library = "libc";
    private const int CloseOnExecOnLinux = 0x80000; // O_CLOEXEC; O_RDONLY is 0
    private const int CloseOnExecElsewhere = 0x1000000; // macOS and the BSDs
    private const int RemapMayMoveFixed = 3; // MREMAP_MAYMOVE | MREMAP_FIXED
    private const int SeekEnd = 2;
    private const int Interrupted = 4; // EINTR
    private const int InvalidArgument = 22; // EINVAL, on Linux and macOS
    private const int FutexWaitPrivate = 0 | 128;
    private const int FutexWakePrivate = 1 | 128;

    // arch/x86/include/uapi/asm/prctl.h: ARCH_REQ_XCOMP_PERM, and the state component of tile data.
    private const long ArchPrctlNumber = 158;
    private const long RequestComponentPermission = 0x1023;
    private const long TileData = 18;

    /// <summary>The number of the futex system call here, or -1 where it is not known.</summary>
    private static readonly long _futexNumber = !OperatingSystem.IsLinux()
        ? -1
        : RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 202,
            Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => 98,
            _ => -1,
        };

    /// <summary>Whether <see cref="FutexWait"/> and <see cref="FutexWake"/> can be used.</summary>
    public static bool HasFutex => _futexNumber > 0;

    /// <summary>Sleeps while <c>*word == expected</c>, until a wake; may return early for no reason.</summary>
    public static void FutexWait(int* word, int expected) =>
        Syscall(_futexNumber, word, FutexWaitPrivate, expected, null, null, 0);

    /// <summary>Wakes at most <paramref name="count"/> threads that sleep on <paramref name="word"/>.</summary>
    public static void FutexWake(int* word, int count) =>
        Syscall(_futexNumber, word, FutexWakePrivate, count, null, null, 0);

    /// <summary>Reads the CPUs that a thread may use as a bit set.</summary>
    /// <returns>The bytes written, or -1 (for example when the set is too small for this kernel).</returns>
    public static int GetAffinity(int threadId, Span<byte> set)
    {
        fixed (byte* bytes = set)
        {
            return SchedGetAffinity(threadId, (nuint)set.Length, bytes) == 0 ? set.Length : -1;
        }
    }

    /// <summary>Sets the CPUs that a thread (0: the calling one) may use.</summary>
    public static bool SetAffinity(int threadId, ReadOnlySpan<byte> set)
    {
        fixed (byte* bytes = set)
        {
            return SchedSetAffinity(threadId, (nuint)set.Length, bytes) == 0;
        }
    }

    /// <summary>Writes a folder's names to its disk. Any Unix.</summary>
    /// <returns>False, and what the system says, when that failed.</returns>
    public static bool TrySyncFolder(string folder, out string problem)
    {
        problem = "";
        int descriptor = Open(folder, 0); // O_RDONLY
        bool done = descriptor >= 0 && Fsync(descriptor) == 0;
        if (!done)
        {
            // Some file systems have nothing to synchronize for a folder and say so.
            int error = Marshal.GetLastPInvokeError();
            done = descriptor >= 0 && error == InvalidArgument;
            problem = Marshal.GetPInvokeErrorMessage(error);
        }
        if (descriptor >= 0)
        {
            _ = Close(descriptor);
        }
        return done;
    }

    /// <summary>Opens a file to be read; null when that fails for whatever reason. Any Unix.</summary>
    /// <remarks>
    /// Without what the framework does besides: a lock that only its own programs ask for, and generic code that is
    /// compiled in every process anew. It says better what is wrong, so whoever gets null asks it.
    /// </remarks>
    public static SafeFileHandle? TryOpenToRead(string path)
    {
        byte[] name = new byte[Encoding.UTF8.GetMaxByteCount(path.Length) + 1];
        int length = Encoding.UTF8.GetBytes(path, 0, path.Length, name, 0);
        if (Array.IndexOf(name, (byte)0, 0, length) >= 0)
        {
            return null;
        }
        fixed (byte* bytes = name)
        {
            int descriptor = OpenBytes(bytes, OperatingSystem.IsLinux() ? CloseOnExecOnLinux : CloseOnExecElsewhere);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
        }
    }

    /// <summary>Whether <see cref="LengthOf"/> and <see cref="Read"/> can be used: offsets have 64 bits.</summary>
    public static bool ReadsFiles => OperatingSystem.IsLinux() && sizeof(nint) == sizeof(long);

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static long LengthOf(SafeFileHandle file)
    {
        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            long end = Seek((int)file.DangerousGetHandle(), 0, SeekEnd);
            return end >= 0 ? end : throw new IOException("the file has no length");
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>Reads bytes of a file from a place, which the file does not remember.</summary>
    /// <returns>How many were read; none at the end of the file.</returns>
    /// <exception cref="IOException">The system does not read them.</exception>
    public static int Read(SafeFileHandle file, byte[] bytes, int at, long offset)
    {
        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            fixed (byte* all = bytes)
            {
                nint read;
                do
                {
                    read = ReadAt((int)file.DangerousGetHandle(), all + at, bytes.Length - at, offset);
                }
                while (read < 0 && Marshal.GetLastSystemError() == Interrupted);
                return read >= 0
                    ? (int)read
                    : throw new IOException("the file cannot be read: " + Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError()));
            }
        }
        finally
        {
            if (isHeld)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>Gives the kernel advice about a range of pages; failure is harmless.</summary>
    [LibraryImport(Library, EntryPoint = "madvise")]
    public static partial int Madvise(void* address, nuint length, int advice);

    /// <summary>Puts pages where others are, which go away, in one step for all threads.</summary>
    public static bool MoveMapping(byte* from, nuint length, byte* to) =>
        (nint)Remap(from, length, length, RemapMayMoveFixed, to) != -1;

    /// <summary>Gives free memory of the C library's heap back to the system; does nothing where the library cannot do that.</summary>
    public static void TrimHeap()
    {
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only GNU's library has it.
        }
    }

    /// <summary>Asks Linux to save tile registers for this process, from now on; refused where there are none. x86-64 only.</summary>
    /// <returns>Whether they can be used. Once granted, asking again changes nothing.</returns>
    public static bool RequestTiles() => SyscallOfTwo(ArchPrctlNumber, RequestComponentPermission, TileData) == 0;

    // Variadic in C. The kernel's own convention ignores what variadic calls pass beside the arguments, and on every
    // architecture listed above integer arguments travel as in a plain call.
    [LibraryImport(Library, EntryPoint = "syscall")]
    private static partial long Syscall(
        long number, int* word, int operation, int value, void* timeout, int* word2, int value3);

    [LibraryImport(Library, EntryPoint = "syscall")]
    private static partial long SyscallOfTwo(long number, long first, long second);

    // Variadic in C, with the fifth argument named by its flag; integer arguments travel as in a plain call (see above).
    [LibraryImport(Library, EntryPoint = "mremap")]
    private static partial void* Remap(void* from, nuint oldLength, nuint newLength, int flags, void* to);

    [LibraryImport(Library, EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);

    [LibraryImport(Library, EntryPoint = "sched_getaffinity")]
    private static partial int SchedGetAffinity(int threadId, nuint size, byte* set);

    [LibraryImport(Library, EntryPoint = "sched_setaffinity")]
    private static partial int SchedSetAffinity(int threadId, nuint size, byte* set);

    // Variadic in C; without O_CREAT the third argument is never read, and the two that are passed are named ones.
    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    // As above.
    [LibraryImport(Library, EntryPoint = "open")]
    private static partial int OpenBytes(byte* path, int flags);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport(Library, EntryPoint = "lseek")]
    private static partial long Seek(int descriptor, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "pread")]
    private static partial nint ReadAt(int descriptor, byte* bytes, nint length, long offset);

    [LibraryImport(Library, EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
