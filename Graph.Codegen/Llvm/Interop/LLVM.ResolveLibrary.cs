using System.Reflection;
using System.Runtime.InteropServices;

namespace LLVMSharp.Interop;

/// <summary>Who says which file <c>libLLVM</c> is: the same hook as in the LLVMSharp.Interop package.</summary>
internal static unsafe partial class LLVM
{
    static LLVM() => NativeLibrary.SetDllImportResolver(typeof(LLVM).Assembly, OnDllImport);

    /// <summary>Asked, in order of subscription, for the handle of the library until one answers non-zero.</summary>
    public static event DllImportResolver? ResolveLibrary;

    private static nint OnDllImport(string libraryName, Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (DllImportResolver resolver in Delegate.EnumerateInvocationList(ResolveLibrary))
        {
            nint handle = resolver(libraryName, assembly, searchPath);
            if (handle != 0)
            {
                return handle;
            }
        }

        return 0;
    }
}
