using System.ComponentModel;
using System.Diagnostics;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Node, which runs WebAssembly and ES modules as browsers do.</summary>
internal static class NodeEngine
{
    private const int OldestVersion = 18;
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(5);
    private static readonly Lazy<string?> Problem = new(Find);

    /// <summary>Skips the running test where there is no Node, or no linker, with the reason.</summary>
    public static void Require()
    {
        if (Problem.Value is { } problem)
        {
            Assert.Ignore(problem);
        }
    }

    /// <summary>Runs a script and gives what it printed; an exit status that is not 0 fails the test.</summary>
    public static string Run(string script, params string[] arguments)
    {
        Require();
        (int status, string output, string errors) = Start([script, .. arguments]);
        Assert.That(status, Is.Zero, $"{Path.GetFileName(script)}: {errors}{output}");
        return output;
    }

    private static (int Status, string Output, string Errors) Start(string[] arguments)
    {
        var start = new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process node = Process.Start(start)!;
        Task<string> output = node.StandardOutput.ReadToEndAsync();
        Task<string> errors = node.StandardError.ReadToEndAsync();
        if (!node.WaitForExit(LongestRun))
        {
            node.Kill(entireProcessTree: true);
            return (-1, "", $"not done after {LongestRun}");
        }
        return (node.ExitCode, output.Result, errors.Result);
    }

    private static string? Find()
    {
        try
        {
            string version = Start(["--version"]).Output.Trim();
            if (!Version.TryParse(version.TrimStart('v'), out Version? number) || number.Major < OldestVersion)
            {
                return $"node {version} is too old: {OldestVersion} is needed (Debian: apt-get install nodejs)";
            }
            Graphene.Codegen.Aot.WasmLinker.Require();
            return null;
        }
        catch (Win32Exception)
        {
            return "node is not installed (Debian: apt-get install nodejs)";
        }
        catch (GraphException e)
        {
            return e.Message;
        }
    }
}
