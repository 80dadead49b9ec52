using System.Collections.Frozen;
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
    private static readonly FrozenSet<string> Allowed = new[]
    {
        "memcpy", "memmove", "memset",
        "fmod", "fmodf", "fma", "fmaf",
        "floor", "floorf", "ceil", "ceilf", "trunc", "truncf",
        "rint", "rintf", "nearbyint", "nearbyintf", "round", "roundf", "roundeven", "roundevenf",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly Lazy<nint[]> Libraries = new(OpenLibraries);

    public static bool IsAllowed(string name) => Allowed.Contains(name);

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
