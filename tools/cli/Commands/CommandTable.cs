using System.CommandLine;

namespace Graphene.Cli.Commands;

/// <summary>The commands, in the order in which help lists them.</summary>
internal static class CommandTable
{
    /// <summary>All commands, writing to the given streams.</summary>
    public static IEnumerable<Command> All(CommandIO io) =>
    [
        DemoCommand.Create(io),
        RunCommand.Create(io),
        CompileCommand.Create(io),
        BenchCommand.Create(io),
        InspectCommand.Create(io),
        OptCommand.Create(io),
        CheckCommand.Create(io),
        ConformanceCommand.Create(io),
        BisectCommand.Create(io),
    ];
}
