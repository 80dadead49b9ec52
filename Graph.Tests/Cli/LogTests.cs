using System.Diagnostics;
using System.Text.Json;
using Graphene.Cli;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>What commands say while they work: stages to whoever looks, objects to programs.</summary>
internal sealed class LogTests
{
    private static readonly string[] Stages = ["optimizing", "planning memory and lowering", "generating machine code"];

    [Test]
    public void CompilingShowsItsStages()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("compile", Model(folder), "-o", folder.Combine("relu.graphene"));

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (string stage in Stages)
        {
            Assert.That(lines, Has.Some.Match($"^Compiling 'relu': {stage} took [0-9.]+ ms"));
        }
        Assert.That(lines, Has.None.Contains("pass "));
    }

    // A process of its own, because loggers write to the process's streams.
    [Test]
    public void LogsCanBeObjects()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("dotnet",
        [
            "exec", Path.Combine(AppContext.BaseDirectory, "Graphene.Cli.dll"), "compile", Model(folder), "-o",
            folder.Combine("relu.graphene"),
            "--log", "json",
        ])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string[] lines = process.StandardError.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();

        Assert.That(process.ExitCode, Is.EqualTo(ExitCode.Success), string.Join('\n', lines));
        Assert.That(output.Result, Does.Contain("relu.graphene"));
        var stages = new List<string>();
        foreach (string line in lines)
        {
            using JsonDocument said = JsonDocument.Parse(line);
            Assert.That(said.RootElement.GetProperty("Timestamp").GetDateTimeOffset().Offset, Is.EqualTo(TimeSpan.Zero));
            Assert.That(said.RootElement.GetProperty("LogLevel").GetString(), Is.EqualTo("Debug"));
            if (said.RootElement.GetProperty("State").TryGetProperty("Stage", out JsonElement stage))
            {
                stages.Add(stage.GetString()!);
            }
        }
        Assert.That(Stages, Is.SubsetOf(stages));
    }

    [Test]
    public void OtherFormatsAreRefused()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("compile", Model(folder), "-o", folder.Combine("relu.graphene"), "--log", "xml");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(run.Error, Does.Contain("xml").And.Contain("json"));
    }

    private static string Model(TemporaryFolder folder)
    {
        string path = folder.Combine("relu.hlo");
        File.WriteAllText(
            path,
            "module \"relu\"\ninputs \"x\"\noutputs \"y\"\n"
                + "%p0 = f32[4] parameter(0)\n%0 = f32[4] abs(%p0)\nreturn %0\n");
        return path;
    }
}
