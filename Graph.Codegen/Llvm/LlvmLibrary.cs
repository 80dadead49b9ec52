using System.Runtime.InteropServices;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>Finds and loads libLLVM when it is first needed, and says clearly when it cannot.</summary>
/// <remarks>
/// <c>GRAPHENE_LLVM_PATH</c> (a file or a folder) replaces the search. The library stays loaded until the process ends:
/// LLVM registers targets and command-line options globally and does not support being unloaded.
/// </remarks>
public static class LlvmLibrary
{
    /// <summary>LLVM major version below which the library is refused.</summary>
    public const int MinimumMajorVersion = LlvmSearchPath.MinimumMajor;

    private static readonly Lock Gate = new();
    private static volatile LoadedLlvm? _loaded;

    /// <summary>Loads the library if that has not been done yet.</summary>
    /// <returns>Which file was loaded, and its version.</returns>
    /// <exception cref="NativeLibraryException">
    /// No libLLVM was found, or every one found is too old or not LLVM. Nothing is remembered, so that a program can
    /// try again after the library was installed.
    /// </exception>
    public static LlvmLibraryInfo Load() => Ensure().Info;

    internal static LoadedLlvm Ensure()
    {
        if (_loaded is { } loaded)
        {
            return loaded;
        }

        lock (Gate)
        {
            if (_loaded is null)
            {
                LoadedLlvm found = Find(DebugOptions.FromEnvironment().LlvmPath);
                LLVM.ResolveLibrary += (name, _, _) => name == "libLLVM" ? found.Handle : 0;
                _loaded = found;
            }

            return _loaded;
        }
    }

    /// <summary>Opens the first suitable library: of the given file or folder, or of the usual places.</summary>
    internal static LoadedLlvm Find(string? fileOrFolder) =>
        fileOrFolder is null
            ? Open(LlvmSearchPath.Candidates(), LlvmInstallHint.ForThisSystem())
            : Open(
                LlvmSearchPath.Under(fileOrFolder),
                $"let {LlvmSearchPath.OverrideVariable} name a libLLVM of version {MinimumMajorVersion} or newer, or "
                + "the folder that it is in, or unset it to search the usual places");

    internal static LoadedLlvm Open(IEnumerable<string> candidates, string fix)
    {
        var attempts = new List<NativeLibraryAttempt>();
        foreach (string candidate in candidates)
        {
            if (TryOpen(candidate, out string problem) is { } found)
            {
                return found;
            }

            attempts.Add(new NativeLibraryAttempt(candidate, problem));
        }

        throw new NativeLibraryException(
            "LLVM", LlvmSearchPath.FileNames(), attempts, $"{MinimumMajorVersion} or newer", fix);
    }

    private static LoadedLlvm? TryOpen(string candidate, out string problem)
    {
        bool isPath = candidate.AsSpan().ContainsAny('/', '\\');
        if (isPath && !File.Exists(candidate))
        {
            problem = Directory.Exists(candidate) ? "a folder without a libLLVM" : NativeLibraryAttempt.NotFound;
            return null;
        }

        if (!NativeLibrary.TryLoad(candidate, out nint handle))
        {
            problem = isPath ? "cannot be loaded (damaged, or for another processor)" : NativeLibraryAttempt.NotFound;
            return null;
        }

        problem = Inspect(handle, out Version version);
        if (problem.Length == 0)
        {
            return new LoadedLlvm(handle, new LlvmLibraryInfo(candidate, version));
        }

        NativeLibrary.Free(handle);
        return null;
    }

    private static unsafe string Inspect(nint handle, out Version version)
    {
        version = new Version();
        if (!NativeLibrary.TryGetExport(handle, "LLVMGetVersion", out nint getVersion))
        {
            return NativeLibrary.TryGetExport(handle, "LLVMContextCreate", out _)
                ? "LLVM 15 or older, which is too old"
                : "not an LLVM library";
        }

        uint major, minor, patch;
        ((delegate* unmanaged[Cdecl]<uint*, uint*, uint*, void>)getVersion)(&major, &minor, &patch);
        version = new Version((int)major, (int)minor, (int)patch);
        return ProblemWith(version);
    }

    /// <summary>What is wrong with a version; empty if nothing is.</summary>
    internal static string ProblemWith(Version version) =>
        version.Major >= MinimumMajorVersion ? string.Empty : $"LLVM {version}, which is too old";
}
