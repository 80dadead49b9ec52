using Graphene.Cli;

namespace Graphene.Tests.Cli;

/// <summary>One command line, run in this process, and what it wrote.</summary>
internal sealed record CliRun(int Exit, string Output, string Error)
{
    /// <summary>Runs a command line.</summary>
    public static CliRun Of(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = CommandLine.Run(args, output, error);
        return new CliRun(exit, output.ToString(), error.ToString());
    }
}
