using System.CommandLine;
using Graphene.Cli.Models;
using Graphene.Optimizer;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene opt FILE</c>: runs passes over a graph and prints the result as IR text.</summary>
internal static class OptCommand
{
    private static readonly Option<string[]> Passes = new("--passes")
    {
        Description = "Passes to run, separated by commas, in this order; the default pipeline without it.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> List = new("--list") { Description = "List the passes of the default pipeline." };

    private static readonly Option<bool> Timing = new("--timing") { Description = "Report what each pass took and did." };

    private static readonly Option<string?> Output = new("-o", "--output") { Description = "Write the text to this file." };

    private static readonly Argument<string?> File = new("FILE")
    {
        Description = "IR text in a .hlo file, or an ONNX model.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("opt", "Run optimizer passes over a graph and print the result.")
        {
            File, Passes, List, Timing, Output,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        if (parsed.GetValue(List))
        {
            foreach (IGraphPass pass in Pipelines.Default().Passes.DistinctBy(p => p.Name))
            {
                io.Output.WriteLine(pass.Name);
            }
            return ExitCode.Success;
        }
        string path = parsed.GetValue(File) ?? throw new UsageException("opt needs a FILE");
        Module module = ModelLoader.Load(path).Module;
        var options = new OptimizerOptions
        {
            Debug = DebugOptions.FromEnvironment() is var debug && parsed.GetValue(Timing) ? debug with { Timing = true } : debug,
            Log = io.Error.WriteLine,
            Verify = true,
        };
        string[] names = [.. parsed.GetRequiredValue(Passes).SelectMany(p => p.Split(',', StringSplitOptions.RemoveEmptyEntries))];
        Module result = names.Length == 0
            ? GraphOptimizer.Run(module, options)
            : PassPipeline.Of(names.Select(FindPass)).Run(module, new PassContext(options));

        string text = Printer.Print(result);
        if (parsed.GetValue(Output) is { } file)
        {
            System.IO.File.WriteAllText(file, text);
        }
        else
        {
            io.Output.Write(text);
        }
        return ExitCode.Success;
    }

    private static IGraphPass FindPass(string name)
    {
        IGraphPass[] all = [.. Pipelines.Default().Passes];
        return all.FirstOrDefault(p => p.Name == name) ?? throw new UsageException(
            $"there is no pass '{name}'; passes are {string.Join(", ", all.Select(p => p.Name).Distinct())}");
    }
}
