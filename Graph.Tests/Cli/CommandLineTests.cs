using Graphene.Cli;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

internal sealed class CommandLineTests
{
    private static readonly string[] Commands =
        ["demo", "run", "compile", "bench", "inspect", "verify", "check", "export", "opt", "bisect", "conformance"];

    [TestCaseSource(nameof(Commands))]
    public void EachCommandHasHelp(string command)
    {
        (int exit, string output, _) = CliRun.Of("help", command);

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.Contain($"graphene {command}"));
    }

    [Test]
    public void TheVersionNamesGrapheneAndDotNet()
    {
        (int exit, string output, string error) = CliRun.Of("--version");

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.StartWith("graphene ").And.Contain(".NET"));
        Assert.That(error, Is.Empty);
    }

    [TestCase]
    [TestCase("help")]
    [TestCase("--help")]
    public void HelpListsTheCommands(params string[] args)
    {
        (int exit, string output, _) = CliRun.Of(args);

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.Contain("graphene").And.Contain("--version"));
        foreach (string command in Commands)
        {
            Assert.That(output, Does.Contain($"  {command} "));
        }
    }

    [TestCase("no-such-command")]
    [TestCase("--no-such-option")]
    [TestCase("run")]
    [TestCase("run", "no-such-file.onnx", "--device", "abacus")]
    [TestCase("run", "no-such-file.onnx")]
    [TestCase("run", "no-such-file.hlo")]
    [TestCase("run", "a", "b")]
    [TestCase("conformance", "onnx", "no-such-folder")]
    public void BadUsageIsOneReadableErrorAndTwo(params string[] args)
    {
        (int exit, string output, string error) = CliRun.Of(args);

        Assert.That(exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(output, Is.Empty);
        Assert.That(error, Does.StartWith("graphene: ").And.Not.Contain("   at "));
    }
}
