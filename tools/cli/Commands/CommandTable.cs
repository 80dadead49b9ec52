using System.CommandLine;

namespace Graphene.Cli.Commands;

/// <summary>The commands, in the order in which help lists them.</summary>
internal static class CommandTable
{
    private static readonly Entry[] Entries =
    [
        new("demo", DemoCommand.Create),
        new("run", RunCommand.Create),
        new("compile", CompileCommand.Create),
        new("bench", BenchCommand.Create),
        new("tune", TuneCommand.Create),
        new("inspect", InspectCommand.Create),
        new("verify", VerifyCommand.Create),
        new("opt", OptCommand.Create),
        new("check", CheckCommand.Create),
        new("export", ExportCommand.Create),
        new("conformance", ConformanceCommand.Create),
        new("bisect", io => BisectCommand.Create(io)),
        new("build-model", BuildModelCommand.Create),
    ];

    /// <summary>The command that a command line begins with, or all of them when it begins with none.</summary>
    /// <remarks>Making them all takes as long as reading a small model.</remarks>
    /// <param name="io">Where they write.</param>
    /// <param name="args">The command line.</param>
    public static IEnumerable<Command> For(CommandIO io, string[] args)
    {
        Entry? named = args.Length == 0 ? null : Array.Find(Entries, e => e.Name == args[0]);
        return (named is null ? Entries : [named]).Select(e => e.Create(io));
    }

    private sealed record Entry(string Name, Func<CommandIO, Command> Create);
}
