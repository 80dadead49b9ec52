using System.Diagnostics;
using System.Text;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Aot;

/// <summary>Makes a shared library of an object with lld, LLVM's linker, which links for every target on every machine.</summary>
public static class SharedLibraryLinker
{
    /// <summary>The environment variable that names the linker; without it the usual names are searched.</summary>
    public const string OverrideVariable = "GRAPHENE_LLD_PATH";

    private static readonly string[] Names = ["ld.lld", "ld.lld-22", "ld.lld-21", "ld.lld-20", "ld.lld-19"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The linker that will be used; null when there is none.</summary>
    public static string? Find()
    {
        if (DebugOptions.FromEnvironment().LldPath is { } chosen)
        {
            return File.Exists(chosen) ? chosen : null;
        }
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }

    /// <summary>Links a shared library that exports the interface alone.</summary>
    /// <param name="library">The library.</param>
    /// <param name="fileName">The name under which programs that are linked with it will look for it; null for <c>NAME.so</c>.</param>
    /// <exception cref="GraphException">GR5033: the linker is missing or failed.</exception>
    public static byte[] Link(CompiledLibrary library, string? fileName = null) => Link(library, Find(), fileName);

    internal static byte[] Link(CompiledLibrary library, string? linker, string? fileName)
    {
        _ = linker ?? throw Missing();
        string folder = Directory.CreateTempSubdirectory("graphene-link-").FullName;
        try
        {
            // Names that do not depend on the folder, so that no byte of the result does.
            File.WriteAllBytes(Path.Combine(folder, "code.o"), library.Object.Span);
            File.WriteAllText(Path.Combine(folder, "exports"), $"{{ global: {string.Concat(library.Exports.Select(e => e + "; "))}local: *; }};\n");
            var arguments = new List<string>
            {
                "-shared", "-o", "library.so", $"-soname={fileName ?? library.Options.Name + ".so"}", "--version-script=exports", "--build-id=sha1",
                "-z", "relro", "-z", "now", "-z", "noexecstack", "--hash-style=gnu", "--no-allow-shlib-undefined", "--gc-sections",
                "--strip-debug", "-m", Emulation(library.Target), "code.o",
            };
            arguments.Add(library.UndefinedSymbols.Count == 0 ? "--no-undefined" : "--unresolved-symbols=ignore-all");
            Run(linker, arguments, folder);
            return File.ReadAllBytes(Path.Combine(folder, "library.so"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Emulation(AotTarget target) => target.Architecture switch
    {
        LlvmArchitecture.X64 => "elf_x86_64",
        LlvmArchitecture.Arm64 => "aarch64linux",
        LlvmArchitecture.RiscV64 => "elf64lriscv",
        var other => throw new GraphException(
            AotDiagnostics.Linker, $"there are no shared libraries for {other}", fix: "choose another form of output"),
    };

    private static void Run(string linker, IReadOnlyList<string> arguments, string folder)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(linker, arguments)
            {
                WorkingDirectory = folder, UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true,
            },
        };
        var said = new StringBuilder();
        process.OutputDataReceived += (_, e) => said.AppendLine(e.Data);
        process.ErrorDataReceived += (_, e) => said.AppendLine(e.Data);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new GraphException(
                AotDiagnostics.Linker, "the linker cannot be started", where: linker, why: e.Message, fix: InstallHint, inner: e);
        }
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw new GraphException(AotDiagnostics.Linker, "the linker does not end", where: linker, fix: InstallHint);
        }
        process.WaitForExit(); // until all output is there
        if (process.ExitCode != 0)
        {
            throw new GraphException(
                AotDiagnostics.Linker, "the linker failed", where: linker, why: said.ToString().Trim(), fix: InstallHint);
        }
    }

    private static GraphException Missing() => new(
        AotDiagnostics.Linker, "a shared library needs the linker lld, which is not there",
        where: DebugOptions.FromEnvironment().LldPath is { } chosen
            ? $"{OverrideVariable}={chosen}" : $"none of {string.Join(", ", Names)} in the search path",
        why: "objects (--emit object) need no linker, shared libraries do",
        fix: InstallHint);

    private static string InstallHint =>
        $"install it (Debian, Ubuntu: sudo apt-get install lld, or lld-19), or let {OverrideVariable} name it";
}
