using Spectre.Console;

namespace Graphene.Cli;

/// <summary>Where a command writes: results to the output, progress and errors to the error stream.</summary>
internal sealed class CommandIO
{
    public CommandIO(TextWriter output, TextWriter error)
    {
        Output = output;
        Error = error;
        Tables = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (Console.IsOutputRedirected || output != Console.Out)
        {
            // A pipe has no width: rows must not be folded for whoever reads them with a program.
            Tables.Profile.Width = 240;
        }
    }

    /// <summary>Results.</summary>
    public TextWriter Output { get; }

    /// <summary>Errors and progress.</summary>
    public TextWriter Error { get; }

    /// <summary>Tables on <see cref="Output"/>.</summary>
    public IAnsiConsole Tables { get; }

    /// <summary>For those who work on Graphene itself: errors keep their stack trace.</summary>
    public bool ShowStackTraces { get; } = Environment.GetEnvironmentVariable("GRAPHENE_STACK_TRACES") == "1";

    /// <summary>Reports progress of long work, unless nobody looks at the error stream.</summary>
    public void Progress(string line)
    {
        if (Error != Console.Error || !Console.IsErrorRedirected)
        {
            Error.WriteLine(line);
        }
    }
}
