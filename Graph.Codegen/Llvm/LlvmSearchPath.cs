using System.Runtime.InteropServices;

namespace Graphene.Codegen.Llvm;

/// <summary>Where systems keep libLLVM: names and folders, in the order in which they are tried.</summary>
/// <remarks>
/// The version that the tests run with comes first, then newer ones, then names that do not say. A bare file name is
/// left to the loader of the system, which knows about <c>/etc/ld.so.conf</c>, <c>LD_LIBRARY_PATH</c> and rpaths.
/// </remarks>
internal static class LlvmSearchPath
{
    /// <summary>The oldest major version that is accepted, and the one that the tests run with.</summary>
    public const int MinimumMajor = 19;

    /// <summary>How far ahead names with a version in them are guessed.</summary>
    private const int LastGuessedMajor = 26;

    /// <summary>A file or folder that is used instead of searching.</summary>
    public const string OverrideVariable = "GRAPHENE_LLVM_PATH";

    /// <summary>All places to try on the system that runs now.</summary>
    public static IEnumerable<string> Candidates() =>
        OperatingSystem.IsWindows() ? OnWindows(Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        : OperatingSystem.IsMacOS() ? OnMacOS()
        : OnLinux();

    /// <summary>The file names that the library has on the system that runs now, likeliest first.</summary>
    public static IReadOnlyList<string> FileNames() =>
        OperatingSystem.IsWindows() ? [.. WindowsNames()]
        : OperatingSystem.IsMacOS() ? [.. MacNames()]
        : [.. LinuxNames()];

    /// <summary>Places meant by a path that a user gave: the file, or the usual names in the folder.</summary>
    public static IEnumerable<string> Under(string fileOrFolder) =>
        Directory.Exists(fileOrFolder)
            ? FileNames()
                .Select(name => Path.Combine(fileOrFolder, name))
                .Where(File.Exists)
                .DefaultIfEmpty(fileOrFolder)
            : [fileOrFolder];

    /// <summary>Linux: sonames for the loader, then folders of distributions that keep versions side by side.</summary>
    public static IEnumerable<string> OnLinux()
    {
        foreach (string path in BesideTheProgram("libLLVM.so"))
        {
            yield return path;
        }

        foreach (int major in Majors())
        {
            foreach (string name in LinuxNames(major))
            {
                yield return name;
            }

            // Debian and Ubuntu; Arch and Alpine; Fedora; Gentoo.
            string[] folders =
            [
                $"/usr/lib/llvm-{major}/lib",
                $"/usr/lib/llvm{major}/lib",
                $"/usr/lib64/llvm{major}/lib64",
                $"/usr/lib64/llvm{major}/lib",
                $"/usr/lib/llvm/{major}/lib64",
            ];
            foreach (string folder in folders)
            {
                yield return $"{folder}/libLLVM.so.{major}.1";
                yield return $"{folder}/libLLVM-{major}.so";
                yield return $"{folder}/libLLVM.so";
            }
        }

        yield return "libLLVM.so";
        yield return "/usr/local/lib/libLLVM.so";
        yield return "/opt/llvm/lib/libLLVM.so";
    }

    /// <summary>macOS: Homebrew on both processors, then MacPorts.</summary>
    public static IEnumerable<string> OnMacOS()
    {
        foreach (string path in BesideTheProgram("libLLVM.dylib"))
        {
            yield return path;
        }

        string[] prefixes = ["/opt/homebrew/opt", "/usr/local/opt"];
        foreach (int major in Majors())
        {
            foreach (string prefix in prefixes)
            {
                yield return $"{prefix}/llvm@{major}/lib/libLLVM.dylib";
            }

            yield return $"/opt/local/libexec/llvm-{major}/lib/libLLVM.dylib";
        }

        foreach (string prefix in prefixes)
        {
            yield return $"{prefix}/llvm/lib/libLLVM.dylib";
        }
    }

    /// <summary>Windows: the installer's folder, then <c>PATH</c>. Whole paths: no working folder counts.</summary>
    public static IEnumerable<string> OnWindows(string path)
    {
        foreach (string name in WindowsNames().Append("libLLVM.dll"))
        {
            foreach (string candidate in BesideTheProgram(name))
            {
                yield return candidate;
            }
        }

        string programFiles = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
        IEnumerable<string> folders = path
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Prepend($"{(programFiles.Length > 0 ? programFiles : @"C:\Program Files")}\\LLVM\\bin");
        foreach (string folder in folders)
        {
            foreach (string name in WindowsNames())
            {
                yield return $"{folder.TrimEnd('\\')}\\{name}";
            }
        }
    }

    private static IEnumerable<int> Majors() =>
        Enumerable.Range(MinimumMajor, LastGuessedMajor - MinimumMajor + 1);

    private static IEnumerable<string> LinuxNames() => Majors().SelectMany(LinuxNames).Append("libLLVM.so");

    // libLLVM.so.19.1 is the soname since LLVM 18; Debian keeps libLLVM-19.so beside it.
    private static IEnumerable<string> LinuxNames(int major) =>
        [$"libLLVM.so.{major}.1", $"libLLVM-{major}.so.1", $"libLLVM-{major}.so", $"libLLVM.so.{major}"];

    private static IEnumerable<string> MacNames() => ["libLLVM.dylib", .. Majors().Select(m => $"libLLVM-{m}.dylib")];

    // LLVM-C.dll comes with the installer, the others with MSYS2.
    private static IEnumerable<string> WindowsNames() => ["LLVM-C.dll", .. Majors().Select(m => $"libLLVM-{m}.dll")];

    private static string[] BesideTheProgram(string name) =>
    [
        Path.Combine(AppContext.BaseDirectory, name),
        Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", name),
    ];
}
