using System.Diagnostics;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The C and C++ compilers of this machine; tests without one are skipped and say so.</summary>
internal static class CToolchain
{
    private static readonly string[] CFlags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror"];
    private static readonly string[] CppFlags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"];

    /// <summary>Compiles and links C99 without any warning.</summary>
    public static string BuildC(string folder, string output, params string[] arguments) =>
        Build("C", ["cc", "gcc", "clang"], CFlags, folder, output, arguments);

    /// <summary>Compiles and links C++17 without any warning.</summary>
    public static string BuildCpp(string folder, string output, params string[] arguments) =>
        Build("C++", ["c++", "g++", "clang++"], CppFlags, folder, output, arguments);

    /// <summary>Runs a program that must end well, and gives what it wrote.</summary>
    public static string Run(string program, params string[] arguments)
    {
        (int exit, string output, string error) = Start(program, arguments, Path.GetDirectoryName(program)!);
        Assert.That(exit, Is.Zero, $"{Path.GetFileName(program)} {string.Join(' ', arguments)}: {output}{error}");
        return output;
    }

    /// <summary>The file of that name in the search path; null when there is none.</summary>
    public static string? Find(params string[] names)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return names.SelectMany(n => folders.Select(f => Path.Combine(f, n))).FirstOrDefault(File.Exists);
    }

    /// <summary>Skips the test where there is no lld.</summary>
    public static void NeedLinker() => Assume.That(
        Graphene.Codegen.Aot.SharedLibraryLinker.Find(), Is.Not.Null, "no lld here; it makes shared libraries (apt-get install lld)");

    private static string Build(
        string language, string[] names, string[] flags, string folder, string output, string[] arguments)
    {
        string? compiler = Find(names);
        Assume.That(compiler, Is.Not.Null, $"no {language} compiler here (apt-get install gcc g++)");
        string program = Path.Combine(folder, output);
        (int exit, string said, string error) = Start(compiler!, [.. flags, "-I", folder, "-o", program, .. arguments], folder);
        Assert.That(exit, Is.Zero, $"{said}{error}");
        Assert.That(error, Is.Empty);
        return program;
    }

    /// <summary>Runs a program, and gives its exit status and what it wrote.</summary>
    public static (int Exit, string Output, string Error) Start(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["LD_LIBRARY_PATH"] = folder;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill();
            Assert.Fail($"{program} does not end");
        }
        return (process.ExitCode, output.Result, error.Result);
    }
}
