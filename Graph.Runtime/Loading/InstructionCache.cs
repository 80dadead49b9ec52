using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Makes instructions that were written as data visible to instruction fetch.</summary>
/// <remarks>
/// x86 does it by itself. ARM does not: Linux cleans the caches when a page first becomes executable, and
/// <c>__clear_cache</c> of the compiler's run-time library, where there is one, does not rely on that.
/// </remarks>
internal static unsafe partial class InstructionCache
{
    private static readonly Lazy<nint> ClearCache = new(FindClearCache);

    public static void Flush(nint address, nint size)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.Arm64)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            _ = FlushInstructionCache(-1, address, size);
        }
        else if (OperatingSystem.IsMacOS())
        {
            InvalidateInstructionCache(address, size);
        }
        else if (ClearCache.Value != 0)
        {
            ((delegate* unmanaged[Cdecl]<nint, nint, void>)ClearCache.Value)(address, address + size);
        }
    }

    private static nint FindClearCache() =>
        NativeLibrary.TryLoad("libgcc_s.so.1", out nint library)
            && NativeLibrary.TryGetExport(library, "__clear_cache", out nint function)
                ? function
                : 0;

    [LibraryImport("kernel32", EntryPoint = "FlushInstructionCache")]
    private static partial int FlushInstructionCache(nint process, nint address, nint size);

    [LibraryImport("/usr/lib/libSystem.B.dylib", EntryPoint = "sys_icache_invalidate")]
    private static partial void InvalidateInstructionCache(nint address, nint size);
}
