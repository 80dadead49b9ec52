using Graphene.Cli;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

internal sealed class CommandLineTests
{
    [Test]
    public void TheVersionNamesGrapheneAndDotNet()
    {
        (int exit, string output, string error) = Run("--version");

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.StartWith("graphene ").And.Contain(".NET"));
        Assert.That(error, Is.Empty);
    }

    [TestCase]
    [TestCase("help")]
    [TestCase("--help")]
    public void HelpListsTheCommands(params string[] args)
    {
        (int exit, string output, _) = Run(args);

        Assert.That(exit, Is.EqualTo(ExitCode.Success));
        Assert.That(output, Does.Contain("--version"));
    }

    [TestCase("no-such-command")]
    [TestCase("--no-such-option")]
    public void BadUsageIsOneReadableErrorAndTwo(params string[] args)
    {
        (int exit, string output, string error) = Run(args);

        Assert.That(exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(output, Is.Empty);
        Assert.That(error, Does.StartWith("graphene: ").And.Not.Contain("   at "));
    }

    private static (int Exit, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = CommandLine.Run(args, output, error);
        return (exit, output.ToString(), error.ToString());
    }
}
