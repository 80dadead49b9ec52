using System.Diagnostics;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>One of the programs that LLVM's linker lld consists of: where it is, how it is run, and what is said when that fails.</summary>
/// <param name="Id">The id of everything that goes wrong.</param>
/// <param name="Product">What needs it, for messages: <c>a shared library</c>.</param>
/// <param name="Name">The program: <c>ld.lld</c>. Packages of distributions append a version.</param>
/// <param name="OverrideVariable">The environment variable that names another one.</param>
internal sealed record LldProgram(DiagnosticId Id, string Product, string Name, string OverrideVariable)
{
    private const int OldestVersion = 19;
    private const int NewestVersion = 22;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Makes shared libraries, for every target on every machine.</summary>
    public static LldProgram Elf { get; } = new(AotDiagnostics.Linker, "a shared library", "ld.lld", "GRAPHENE_LLD_PATH")
    {
        Chosen = options => options.LldPath,
        Otherwise = "objects (--emit object) need no linker, shared libraries do",
    };

    /// <summary>Makes WebAssembly modules.</summary>
    public static LldProgram Wasm { get; } = new(CodegenDiagnostics.WasmLinkerMissing, "WebAssembly", "wasm-ld", "GRAPHENE_WASM_LD")
    {
        Chosen = options => options.WasmLdPath,
        Otherwise = "a module is linked from objects by LLVM's linker, which is a package of its own",
    };

    /// <summary>Where the user's choice is kept.</summary>
    public required Func<DebugOptions, string?> Chosen { get; init; }

    /// <summary>Why the program is needed.</summary>
    public required string Otherwise { get; init; }

    private IEnumerable<string> Names
    {
        get
        {
            string extension = OperatingSystem.IsWindows() ? ".exe" : "";
            return Enumerable.Range(OldestVersion, NewestVersion - OldestVersion + 1).Reverse().Select(v => $"{Name}-{v}").Prepend(Name)
                .Select(name => name + extension);
        }
    }

    private string InstallHint =>
        $"install it (Debian, Ubuntu: sudo apt-get install lld, or lld-{OldestVersion}), or let {OverrideVariable} name it";

    /// <summary>The program that will be used; null when there is none.</summary>
    public string? Find()
    {
        if (Chosen(DebugOptions.FromEnvironment()) is { } chosen)
        {
            return File.Exists(chosen) ? chosen : null;
        }
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        string[] folders = path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }

    /// <summary>Why nothing can be linked.</summary>
    public GraphException Missing() => new(
        Id, $"{Product} needs {Name} of the linker lld, which is not there",
        where: Chosen(DebugOptions.FromEnvironment()) is { } chosen
            ? $"{OverrideVariable}={chosen}" : $"none of {string.Join(", ", Names)} in the search path",
        why: Otherwise,
        fix: InstallHint);

    /// <summary>Links in a folder of its own, so that no byte of the result depends on where it is.</summary>
    /// <param name="program">What <see cref="Find"/> found; null is answered by <see cref="Missing"/>.</param>
    /// <param name="write">Writes the linker's inputs into the folder it is given.</param>
    /// <param name="arguments">The linker's arguments, relative to that folder.</param>
    /// <param name="output">The name of the file that it makes there.</param>
    /// <exception cref="GraphException">The program is missing, cannot be started, does not end, or refuses.</exception>
    public byte[] Link(string? program, Action<string> write, IEnumerable<string> arguments, string output)
    {
        _ = program ?? throw Missing();
        string folder = Directory.CreateTempSubdirectory("graphene-link-").FullName;
        try
        {
            write(folder);
            Run(program, arguments, folder);
            return File.ReadAllBytes(Path.Combine(folder, output));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Run(string program, IEnumerable<string> arguments, string folder)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder, UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true,
            },
        };
        var said = new StringBuilder();
        void Note(object sender, DataReceivedEventArgs e)
        {
            lock (said)
            {
                said.AppendLine(e.Data);
            }
        }

        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failure(program, "the linker cannot be started", e.Message, e);
        }
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw Failure(program, "the linker does not end");
        }
        process.WaitForExit(); // until all output is there
        if (process.ExitCode != 0)
        {
            throw Failure(program, "the linker failed", said.ToString().Trim());
        }
    }

    private GraphException Failure(string program, string what, string? why = null, Exception? inner = null) =>
        new(Id, what, where: program, why: why, fix: InstallHint, inner: inner);
}
