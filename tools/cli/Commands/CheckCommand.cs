using System.CommandLine;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Interop.Onnx;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene check MODEL</c>: can it be imported? Lists everything that is missing at once.</summary>
internal static class CheckCommand
{
    private const int NodesShown = 4;

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("check", "Tell whether a model can be imported and compiled, and list all operators that are missing.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Dim,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string path = parsed.GetRequiredValue(CommonOptions.Model);
        if (!ModelLoader.IsText(path) && !ModelLoader.IsBundle(path))
        {
            using OnnxModelFile file = OnnxModelFile.Load(path);
            IReadOnlyList<UnsupportedOperator> missing = OnnxImporter.FindUnsupported(file);
            if (missing.Count > 0)
            {
                ShowMissing(io, path, missing);
                return ExitCode.Negative;
            }
        }
        Module module = CommonOptions.Load(parsed).Module;
        io.Output.WriteLine($"{path} can be imported: {module.Entry.PostOrder().Count} nodes");
        for (int i = 0; i < module.InputNames.Length; i++)
        {
            io.Output.WriteLine($"  input   {module.InputNames[i]}: {module.Entry.Parameters[i].Type}");
        }
        for (int i = 0; i < module.OutputNames.Length; i++)
        {
            io.Output.WriteLine($"  output  {module.OutputNames[i]}: {module.Entry.Results[i].Type}");
        }
        return ExitCode.Success;
    }

    private static void ShowMissing(CommandIO io, string path, IReadOnlyList<UnsupportedOperator> missing)
    {
        io.Output.WriteLine($"{path} needs {missing.Count} operators that are not supported:");
        var table = new TextTable("operator", "nodes", "names");
        foreach (UnsupportedOperator op in missing.OrderByDescending(o => o.Nodes.Count))
        {
            string names = string.Join(", ", op.Nodes.Take(NodesShown)) + (op.Nodes.Count > NodesShown ? ", ..." : "");
            table.AddRow(op.Operator, $"{op.Nodes.Count}", names);
        }
        table.Write(io.Output);
    }
}
