using System.CommandLine;
using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene compile MODEL -o OUT</c>: writes a bundle, which runs without the compiler and without LLVM.</summary>
internal static class CompileCommand
{
    private static readonly Option<string> Output = new("-o", "--output") { Description = "The file to write.", Required = true };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("compile", "Compile a model for this processor into a bundle, a file that runs without LLVM.")
        {
            CommonOptions.Model, Output, CommonOptions.Input, CommonOptions.Dim,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string path = parsed.GetRequiredValue(Output);
        if (!ModelLoader.IsBundle(path))
        {
            throw new UsageException($"a bundle is named *.graphene, which {path} is not; run and bench know it by that name");
        }
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        LoadedModel model = CommonOptions.Load(parsed);
        using Executable executable = GraphCompiler.Cpu().Compile(
            model.Module, loggers.CreateLogger("graphene"), CancellationToken.None);
        executable.WriteFile(path);
        io.Output.WriteLine(
            $"{path}: {executable.Plan.Kernels.Length} kernels, {executable.Objects.Sum(o => o.Bytes.Length)} bytes of code, " +
            $"{executable.Constants.Length} bytes of constants, for {executable.Plan.TargetTriple}");
        return ExitCode.Success;
    }
}
