using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Interop.Numpy;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene run MODEL</c>: runs a model once, shows its outputs, and compares or writes them when asked to.</summary>
internal static class RunCommand
{
    private static readonly Option<string?> OutputDir = new("--output-dir")
    {
        Description = "Write each output to DIR/NAME.npy.",
    };

    private static readonly Option<string[]> Expect = new("--expect")
    {
        Description = "NAME=FILE: what an output should be; a difference is exit status 1. May be repeated.",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("run", "Run a model once and show its outputs.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Random, CommonOptions.Dim, OutputDir, Expect,
            ToleranceOptions.Relative, ToleranceOptions.Absolute, ToleranceOptions.OfLargest, CommonOptions.Device, CommonOptions.Threads,
            CommonOptions.Winograd, CommonOptions.Tuning,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        InputSet inputSet = InputSet.Read(parsed.GetRequiredValue(CommonOptions.Input), parsed.GetValue(CommonOptions.Random));
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        ILogger logger = loggers.CreateLogger("graphene");
        IGraphCompiler compiler = Devices.Compiler(
            parsed.GetRequiredValue(CommonOptions.Device), logger, optimizer: CommonOptions.Optimizer(parsed),
            tuning: CommonOptions.TuningOf(parsed));
        LoadedModel model = ModelLoader.LoadToRun(
            parsed.GetRequiredValue(CommonOptions.Model), CommonOptions.Dims(parsed), inputSet.Files, compiler, logger);
        IReadOnlyList<Literal> inputs = inputSet.For(
            model, (symbol, value) => io.Progress($"{symbol.Name} = {value}; choose with --dim {symbol.Name}=N"));
        SymbolBinding.Bind(model, inputs);
        Dictionary<string, Literal> expected = ReadExpected(model, parsed.GetRequiredValue(Expect));

        using var runner = new ModelRunner(model, compiler, parsed.GetValue(CommonOptions.Threads), logger);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<Literal> outputs = runner.Run(inputs);
        TimeSpan ran = Stopwatch.GetElapsedTime(start);

        Show(io, model, outputs);
        io.Progress(string.Create(
            CultureInfo.InvariantCulture,
            $"compiled in {runner.CompileTime.TotalMilliseconds:F0} ms, ran in {ran.TotalMilliseconds:F2} ms"));
        if (parsed.GetValue(OutputDir) is { } folder)
        {
            WriteAll(folder, model, outputs);
        }
        bool isEqual = Compare(
            io, model, outputs, expected, type => ToleranceOptions.Choose(parsed, Tolerance.OfModels(type)));
        return isEqual ? ExitCode.Success : ExitCode.Negative;
    }

    private static Dictionary<string, Literal> ReadExpected(LoadedModel model, string[] options)
    {
        var expected = new Dictionary<string, Literal>(StringComparer.Ordinal);
        foreach ((string name, string file) in options.Select(InputFile.ParseOption))
        {
            if (!model.OutputNames.Contains(name))
            {
                throw new UsageException(
                    $"{model.Path} has no output '{name}'; its outputs are {string.Join(", ", model.OutputNames.Select(n => $"'{n}'"))}");
            }
            expected[name] = InputFile.Read(file);
        }
        return expected;
    }

    private static void Show(CommandIO io, LoadedModel model, IReadOnlyList<Literal> outputs)
    {
        var table = new TextTable("output", "type", "values");
        for (int i = 0; i < outputs.Count; i++)
        {
            table.AddRow(model.OutputNames[i], outputs[i].Type.ToString(), ValueSummary.Of(outputs[i]));
        }
        table.Write(io.Output);
    }

    private static void WriteAll(string folder, LoadedModel model, IReadOnlyList<Literal> outputs)
    {
        Directory.CreateDirectory(folder);
        for (int i = 0; i < outputs.Count; i++)
        {
            NpyFile.Write(Path.Combine(folder, OutputFileName.Of(model.OutputNames[i]) + ".npy"), outputs[i]);
        }
    }

    private static bool Compare(
        CommandIO io, LoadedModel model, IReadOnlyList<Literal> outputs, Dictionary<string, Literal> expected,
        Func<DType, Tolerance> tolerance)
    {
        bool equal = true;
        for (int i = 0; i < outputs.Count; i++)
        {
            string name = model.OutputNames[i];
            if (expected.TryGetValue(name, out Literal? value) && tolerance(value.DType).Difference(outputs[i], value) is { } difference)
            {
                io.Error.WriteLine($"graphene: output '{name}': {difference}");
                equal = false;
            }
        }
        return equal;
    }
}
