using System.Diagnostics;
using System.Globalization;

namespace Graphene.Codegen.Aot;

/// <summary>Links WebAssembly objects with lld, which is a program of its own.</summary>
internal static class WasmLinker
{
    /// <summary>The variable that names the linker when it is not in the search path.</summary>
    public const string OverrideVariable = "GRAPHENE_WASM_LD";

    private static readonly string[] Names = ["wasm-ld", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19", "wasm-ld-18"];

    /// <summary>Links objects into a module that exports some symbols and imports nothing.</summary>
    /// <param name="objects">The objects, in the order in which their code will stand.</param>
    /// <param name="exports">Functions by name, and data, whose addresses become constants.</param>
    /// <param name="stackInBytes">
    /// The size of the stack, which lies before everything else but what is never accessed: running over both ends the run.
    /// </param>
    /// <exception cref="GraphException">GR5060: there is no linker.</exception>
    /// <exception cref="CompilerBugException">The linker refuses the objects.</exception>
    public static byte[] Link(IReadOnlyList<byte[]> objects, IReadOnlyList<string> exports, long stackInBytes)
    {
        string linker = Find();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("graphene-wasm-");
        try
        {
            string output = Path.Combine(folder.FullName, "linked.wasm");
            var arguments = new List<string>
            {
                "--no-entry", "--strip-all", "--gc-sections", "--stack-first", "--no-growable-memory", "--threads=1",
                "-z", string.Create(CultureInfo.InvariantCulture, $"stack-size={WasmOffsetFolding.LowestAddress + stackInBytes}"), "-o", output,
            };
            arguments.AddRange(exports.Select(e => "--export=" + e));
            for (int i = 0; i < objects.Count; i++)
            {
                string file = Path.Combine(folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{i}.o"));
                File.WriteAllBytes(file, objects[i]);
                arguments.Add(file);
            }
            Run(linker, arguments);
            return File.ReadAllBytes(output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Run(string linker, List<string> arguments)
    {
        var start = new ProcessStartInfo(linker, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new CompilerBugException("linking WebAssembly", (errors + output.Result).Trim());
        }
    }

    /// <summary>The linker's path.</summary>
    /// <exception cref="GraphException">GR5060: there is none.</exception>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable(OverrideVariable) is { Length: > 0 } chosen)
        {
            return File.Exists(chosen) ? chosen : throw Missing($"{OverrideVariable}={chosen}: there is no such file");
        }
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string extension = OperatingSystem.IsWindows() ? ".exe" : "";
        foreach (string path in folders.SelectMany(f => Names.Select(n => Path.Combine(f, n + extension))))
        {
            if (File.Exists(path))
            {
                return path;
            }
        }
        throw Missing($"looked for {string.Join(", ", Names)} in the folders of PATH");
    }

    private static GraphException Missing(string where) => new(
        CodegenDiagnostics.WasmLinkerMissing,
        "WebAssembly: the linker wasm-ld was not found",
        where: where,
        why: "a module is linked from objects by LLVM's linker, which is a package of its own",
        fix: $"install LLVM's lld (Debian, Ubuntu: apt-get install lld), or let {OverrideVariable} name wasm-ld");
}
