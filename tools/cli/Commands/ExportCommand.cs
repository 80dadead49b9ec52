using System.CommandLine;
using Graphene.Interop.Onnx;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene export MODEL -o OUT.onnx</c>: writes a graph as an ONNX model.</summary>
internal static class ExportCommand
{
    private static readonly Option<string> Output = new("-o", "--output") { Description = "The file to write.", Required = true };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command(
            "export", "Write a graph (IR text, or a model of any operator set) as an ONNX model of today's operators.")
        {
            CommonOptions.Model, Output, CommonOptions.Input, CommonOptions.Dim,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string path = parsed.GetRequiredValue(Output);
        Module module = CommonOptions.Load(parsed).Module;
        try
        {
            OnnxExporter.Export(module, path);
        }
        catch (GraphException e) when (e.Id == OnnxDiagnosticIds.NoOnnxForm)
        {
            io.Error.WriteLine($"graphene: {e.Message}");
            return ExitCode.Negative;
        }
        io.Output.WriteLine($"{path}: ONNX operator set {OnnxExporter.OperatorSet}, {new FileInfo(path).Length} bytes");
        return ExitCode.Success;
    }
}
