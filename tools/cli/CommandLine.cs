using System.CommandLine;
using System.CommandLine.Help;
using Graphene.Cli.Commands;

namespace Graphene.Cli;

/// <summary>The <c>graphene</c> command: parses, runs, and turns every error into one readable message and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Runs one command line, writing to the console.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>Runs one command line.</summary>
    /// <param name="args">Without the program's name.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Errors, and progress of long work.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        var io = new CommandIO(output, error);
        args = HelpWords(args);
        ParseResult parsed = Root(io, args).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            // A word nobody knows explains more than the command that is missing because of it.
            string problem = parsed.UnmatchedTokens is [var word, ..]
                ? $"'{word}' is not a command or option here"
                : parsed.Errors[0].Message;
            error.WriteLine($"graphene: {problem}");
            error.WriteLine($"See `{string.Join(' ', PathOf(parsed.CommandResult.Command).Prepend("graphene help"))}`.");
            return ExitCode.BadInput;
        }

        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
        };
        try
        {
            return parsed.Invoke(configuration);
        }
        catch (Exception e) when (!io.ShowStackTraces)
        {
            return ErrorReport.Write(e, error);
        }
    }

    // Not a RootCommand: that one calls itself after the file that runs, and its version option cannot be replaced.
    private static Command Root(CommandIO io, string[] args)
    {
        var root = new Command("graphene", "Graphene: imports, optimizes, compiles and runs tensor graphs.")
        {
            new HelpOption { Recursive = true },
            VersionReport.Option(io),
            CommonOptions.Verbose,
            CommonOptions.Log,
        };
        foreach (Command command in CommandTable.For(io, args))
        {
            root.Add(command);
        }
        return root;
    }

    // `graphene help CMD` is `graphene CMD --help`; `graphene help` and no words at all are `graphene --help`.
    private static string[] HelpWords(string[] args) => args switch
    {
        [] => ["--help"],
        ["help", .. var rest] => [.. rest, "--help"],
        _ => args,
    };

    private static Stack<string> PathOf(Command command)
    {
        var names = new Stack<string>();
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            names.Push(at.Name);
        }
        names.Pop(); // the program's own name
        return names;
    }
}
