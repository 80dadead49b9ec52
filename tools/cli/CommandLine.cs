using System.CommandLine;
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
        ParseResult parsed = RootCommandFor(io).Parse(HelpWords(args));
        if (parsed.Errors.Count > 0)
        {
            error.WriteLine($"graphene: {parsed.Errors[0].Message}");
            error.WriteLine($"See `graphene help{(parsed.CommandResult.Command is RootCommand ? "" : " " + PathOf(parsed))}`.");
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

    internal static RootCommand RootCommandFor(CommandIO io)
    {
        var root = new RootCommand("Graphene: imports, optimizes, compiles and runs tensor graphs.");
        // The built-in option prints the version alone; ours also says which LLVM was found.
        for (int i = root.Options.Count - 1; i >= 0; i--)
        {
            if (root.Options[i] is VersionOption)
            {
                root.Options.RemoveAt(i);
            }
        }
        root.Options.Add(VersionReport.Option(io));
        foreach (Command command in CommandTable.All(io))
        {
            root.Subcommands.Add(command);
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

    private static string PathOf(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (Symbol? at = parsed.CommandResult.Command; at is Command command and not RootCommand; at = at.Parents.FirstOrDefault())
        {
            names.Push(command.Name);
        }
        return string.Join(' ', names);
    }
}
