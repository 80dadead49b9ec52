using System.CommandLine;
using Graphene.Cli.Building;
using Graphene.Codegen;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Commands;

/// <summary>
/// <c>graphene build-model REQUEST</c>: what a project's build calls for a <c>GrapheneModel</c> item;
/// errors are the build's.
/// </summary>
internal static class BuildModelCommand
{
    private static readonly Argument<string> Request = new("REQUEST") { Description = "The request that Graphene.Build.targets wrote." };

    /// <summary>The command, which people are not shown.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("build-model", "Compile the model of one item of a project, as its build asks for it.") { Request };
        command.Hidden = true;
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        BuildRequest? request = null;
        try
        {
            request = BuildRequest.Read(parsed.GetRequiredValue(Request));
            ModelBuild.Run(request, loggers.CreateLogger("graphene"));
            return ExitCode.Success;
        }
        catch (ModelBuildException e)
        {
            return Report(e, io);
        }
        catch (NativeLibraryException e) when (request is not null)
        {
            return Report(new ModelBuildException(request, ModelBuildError.NoCompiler, e.Message), io);
        }
        catch (Exception e) when (request is not null && !io.ShowStackTraces)
        {
            return Report(
                new ModelBuildException(request, ModelBuildError.CompilerFailed, $"{request.Item}: {e.GetType().Name}: {e.Message}"), io);
        }
    }

    private static int Report(ModelBuildException error, CommandIO io)
    {
        foreach (string line in error.Lines())
        {
            io.Output.WriteLine(line);
        }
        return ExitCode.BadInput;
    }
}
