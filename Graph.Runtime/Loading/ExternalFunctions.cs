using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>The functions of the C library that compiled code may call; nothing else outside is visible.</summary>
/// <remarks>
/// LLVM calls them for what has no instruction: block moves, floating remainder, and on old processors fused
/// multiply-add and rounding. All are exact or correctly rounded by the C standard, so which library has them does not
/// change results.
/// </remarks>
internal static class ExternalFunctions
{
    private static readonly Lazy<nint[]> Libraries = new(OpenLibraries);

    public static bool IsAllowed(string name) => name is "memcpy" or "memmove" or "memset"
        or "fmod" or "fmodf" or "fma" or "fmaf"
        or "floor" or "floorf" or "ceil" or "ceilf" or "trunc" or "truncf"
        or "rint" or "rintf" or "nearbyint" or "nearbyintf" or "round" or "roundf" or "roundeven" or "roundevenf";

    /// <exception cref="ObjectLoadException">The C library of this system has no such function.</exception>
    public static nint Resolve(string name)
    {
        if (IsAllowed(name))
        {
            foreach (nint library in Libraries.Value)
            {
                if (NativeLibrary.TryGetExport(library, name, out nint address))
                {
                    return address;
                }
            }
        }

        throw new ObjectLoadException("C library", $"it has no function '{name}'");
    }

    private static nint[] OpenLibraries()
    {
        string[] names =
            OperatingSystem.IsWindows() ? ["ucrtbase.dll", "msvcrt.dll"]
            : OperatingSystem.IsMacOS() ? ["/usr/lib/libSystem.B.dylib"]
            : ["libc.so.6", "libm.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
        return [.. names.Select(n => NativeLibrary.TryLoad(n, out nint handle) ? handle : 0).Where(h => h != 0)];
    }
}
