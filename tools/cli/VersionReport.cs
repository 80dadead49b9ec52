using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;

namespace Graphene.Cli;

/// <summary><c>graphene --version</c>: what somebody who reports a problem should copy.</summary>
internal static class VersionReport
{
    /// <summary>The version of this build.</summary>
    public static string Version { get; } =
        typeof(VersionReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";

    /// <summary>The option of the root command.</summary>
    public static Option Option(CommandIO io) => new Option<bool>("--version")
    {
        Description = "Show the versions of Graphene, .NET and LLVM.",
        Action = new Show(io),
    };

    private static void Write(TextWriter output)
    {
        output.WriteLine($"graphene {Version}");
        output.WriteLine($"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}");
        try
        {
            LlvmLibraryInfo llvm = LlvmLibrary.Load();
            output.WriteLine($"LLVM {llvm.Version} ({llvm.Path})");
        }
        catch (NativeLibraryException)
        {
            output.WriteLine($"LLVM not found; {LlvmLibrary.MinimumMajorVersion} or newer is needed to compile");
        }
    }

    private sealed class Show(CommandIO io) : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            Write(io.Output);
            return ExitCode.Success;
        }
    }
}
