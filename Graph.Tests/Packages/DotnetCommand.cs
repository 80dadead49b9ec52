using System.Diagnostics;
using System.Text;

namespace Graphene.Tests.Packages;

/// <summary>One call of the .NET SDK on a project outside of the repository, and what it wrote.</summary>
/// <param name="Exit">Its exit status.</param>
/// <param name="Output">Both of its streams.</param>
internal sealed record DotnetCommand(int Exit, string Output)
{
    private const int TimeoutMilliseconds = 300_000;

    /// <summary>Runs <c>dotnet</c>.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="packages">The folder that packages are restored into.</param>
    /// <param name="arguments">What.</param>
    public static DotnetCommand Run(string folder, string packages, params string[] arguments) =>
        Run(folder, packages, "dotnet", arguments);

    /// <summary>Runs a program.</summary>
    public static DotnetCommand Run(string folder, string packages, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // What the SDK told the process of these tests is not for another build.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }
        start.Environment.Remove("CI");
        start.Environment["NUGET_PACKAGES"] = packages;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK"] = "1";
        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        void Append(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(TimeoutMilliseconds))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} took more than {TimeoutMilliseconds / 1000} s: {output}");
        }
        process.WaitForExit(); // for the rest of what it wrote
        return new DotnetCommand(process.ExitCode, output.ToString());
    }
}
