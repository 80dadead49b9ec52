namespace Graphene.Cli;

/// <summary>Where a command writes: results to the output, progress and errors to the error stream.</summary>
/// <param name="output">Results.</param>
/// <param name="error">Errors and progress.</param>
internal sealed class CommandIO(TextWriter output, TextWriter error)
{
    /// <summary>Results.</summary>
    public TextWriter Output => output;

    /// <summary>Errors and progress.</summary>
    public TextWriter Error => error;

    /// <summary>For those who work on Graphene itself: errors keep their stack trace.</summary>
    public bool ShowStackTraces { get; } = Environment.GetEnvironmentVariable("GRAPHENE_STACK_TRACES") == "1";

    /// <summary>Whether somebody looks at the error stream: a terminal shows it, or a caller within the process takes it.</summary>
    public bool ShowsProgress => Error != Console.Error || !Console.IsErrorRedirected;

    /// <summary>Reports progress of long work, unless nobody looks at the error stream.</summary>
    public void Progress(string line)
    {
        if (ShowsProgress)
        {
            Error.WriteLine(line);
        }
    }
}
