using System.CommandLine;
using Graphene.Cli.Compilation;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene compile MODEL -o OUT</c>: writes code that runs without the compiler and without LLVM.</summary>
internal static class CompileCommand
{
    private const string EmbeddedWeights = "embed";

    private static readonly Option<string> Output = new("-o", "--output")
    {
        Description = "The file to write; its ending says the form: " +
            string.Join(", ", ArtifactTable.All.Select(f => $"{f.Extension} ({f.Description})")) + ".",
        Required = true,
    };

    private static readonly Option<string[]> Emit = new("--emit")
    {
        Description = "The forms to write, when the ending of OUT is not enough: " +
            string.Join(", ", ArtifactTable.All.Select(f => f.Name)) + ". Several with commas; each gets its own ending.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string[]> Target = new("--target")
    {
        Description = "What code is for: " + string.Join(", ", AotTarget.Named.Select(t => t.Name)) +
            ", nvptx:sm_80 and the like for GPUs (bundles and PTX), or an LLVM triple. " +
            "x86-64 has code for three levels of processors and " +
            "chooses at run time. Bundles take several, with commas or repeated, and choose when they are loaded.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string> Cpu = new("--cpu")
    {
        Description = "The processor as LLVM calls it (-mcpu), instead of the target's own.",
    };

    private static readonly Option<string> Features = new("--features")
    {
        Description = "Features of the processor added or removed, such as +avx2,-fma.",
    };

    private static readonly Option<string> Name = new("--name")
    {
        Description = "What the C functions begin with; the name of OUT when it is not given.",
    };

    private static readonly Option<bool> Freestanding = new("--freestanding")
    {
        Description = "Refuse native code that calls any function of a library; otherwise those of libm are allowed.",
    };

    private static readonly Option<string> Weights = new("--weights")
    {
        Description = "embed: constants are part of native code. FILE: they go to a file that is mapped; one that is there is extended, " +
            "so that several models share it.",
        DefaultValueFactory = _ => EmbeddedWeights,
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("compile", "Compile a model ahead of time: a bundle for .NET, native code with a C interface, or PTX.")
        {
            BundleOptions.Model, Output, Emit, Target, Cpu, Features, Name, Freestanding, Weights, CommonOptions.Winograd,
            CommonOptions.Tuning, CommonOptions.Input, CommonOptions.Dim,
        };
        foreach (Option option in BundleOptions.All)
        {
            command.Add(option);
        }
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string path = parsed.GetRequiredValue(Output);
        IReadOnlyList<ArtifactForm> forms = Forms(parsed, path);
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        string? weights = parsed.GetValue(Weights);
        IReadOnlyList<AotTarget> targets = TargetsOf(parsed);
        using BundleRequest bundle = BundleOptions.Read(parsed, targets, forms);
        var request = new CompileRequest
        {
            Model = bundle.Functions[0].Model,
            Bundle = bundle,
            Tuning = bundle.Tuning,
            Output = path,
            Name = parsed.GetValue(Name) ?? NameOf(path),
            Target = targets is [var target] ? target : null,
            IsFreestanding = parsed.GetValue(Freestanding),
            WeightsPath = weights is null or EmbeddedWeights ? null : weights,
            Logger = loggers == NullLoggerFactory.Instance ? new ProgressLogger(io) : loggers.CreateLogger("graphene"),
        };
        NoteTuning(bundle, forms, io);
        foreach (IGrouping<ArtifactWriter, ArtifactForm> group in forms.GroupBy(f => f.Writer))
        {
            foreach (string line in group.Key(request, [.. group.Select(f => f.Name)]))
            {
                io.Output.WriteLine(line);
            }
        }
        return ExitCode.Success;
    }

    private static void NoteTuning(BundleRequest bundle, IReadOnlyList<ArtifactForm> forms, CommandIO io)
    {
        if (bundle.Tuning is not { } tuning)
        {
            return;
        }
        GpuTarget[] gpus = [.. bundle.Targets.Select(t => t.Gpu).OfType<GpuTarget>()];
        if (gpus.Length == 0 && forms.All(f => f.Writer != PtxArtifact.Write))
        {
            throw new UsageException("--tuning is for GPUs: name one with --target nvptx:sm_90a");
        }
        foreach (GpuTarget gpu in gpus.Where(g => tuning.CountFor(g) < tuning.Count))
        {
            io.Error.WriteLine(
                $"graphene: {tuning.CountFor(gpu)} of {tuning.Count} measured products are for {gpu} "
                    + $"with {gpu.Multiprocessors} multiprocessors; the others are left alone");
        }
    }

    private static IReadOnlyList<ArtifactForm> Forms(ParseResult parsed, string path)
    {
        string[] names = [.. (parsed.GetValue(Emit) ?? []).SelectMany(
            e => e.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        if (names.Length > 0)
        {
            return ArtifactTable.Find(names);
        }
        return ArtifactTable.ForPath(path) is { } form
            ? [form]
            : throw new UsageException(
                $"the ending of {path} does not say what to write; use one of " +
                $"{string.Join(", ", ArtifactTable.All.Select(f => f.Extension))}, or --emit");
    }

    private static IReadOnlyList<AotTarget> TargetsOf(ParseResult parsed)
    {
        string[] names = [.. (parsed.GetValue(Target) ?? []).SelectMany(t => t.Split(','))];
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { Key: var twice })
        {
            throw new UsageException($"--target {twice} is named twice");
        }
        string cpu = parsed.GetValue(Cpu) ?? "";
        string features = parsed.GetValue(Features) ?? "";
        return names.Length == 0 && cpu.Length == 0 && features.Length == 0
            ? []
            : [.. names.DefaultIfEmpty("x86-64").Select(n => AotTarget.Parse(n, cpu, features))];
    }

    // A file name as a name in C.
    private static string NameOf(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        string text = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).TrimStart('_');
        return text.Length == 0 || char.IsAsciiDigit(text[0]) ? $"model_{text}" : text;
    }
}
