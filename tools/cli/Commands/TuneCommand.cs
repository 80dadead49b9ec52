using System.CommandLine;
using System.Globalization;
using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Codegen;

namespace Graphene.Cli.Commands;

/// <summary>
/// <c>graphene tune MODEL --device cuda -o FILE</c>: measures tiles of a model's products on a GPU and
/// writes the fastest down.
/// </summary>
internal static class TuneCommand
{
    private static readonly Option<string> Output = new("-o", "--output")
    {
        Description = "The record to write (JSON). One that is there is extended; what is measured again is replaced.",
        Required = true,
    };

    private static readonly Option<int> Candidates = new("--candidates")
    {
        Description = "How many ways to compute a product are measured: those that the model of the machine expects most of.",
        DefaultValueFactory = _ => new TuningOptions().Candidates,
    };

    private static readonly Option<int> Runs = new("--runs")
    {
        Description = "How many runs of each are measured; the median counts.",
        DefaultValueFactory = _ => new TuningOptions().Runs,
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("tune", "Measure tiles of a model's matrix products and convolutions on a GPU, for --tuning.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Dim, CommonOptions.Device, Output, Candidates, Runs,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string device = parsed.GetRequiredValue(CommonOptions.Device);
        if (device is not (Devices.Cuda or Devices.Interpreter))
        {
            throw new UsageException($"products are measured on GPUs: use --device {Devices.Cuda}");
        }
        if (parsed.GetValue(Candidates) < 1 || parsed.GetValue(Runs) < 1)
        {
            throw new UsageException("--candidates and --runs must be at least 1");
        }
        string path = parsed.GetRequiredValue(Output);
        ProductTuning? before = File.Exists(path) ? ProductTuning.Read(path) : null;
        LoadedModel model = CommonOptions.Load(parsed);
        var table = new TextTable("product", "the model's choice", "us", "the fastest", "us");
        using GpuCompiler compiler = Devices.Gpu(device);
        ProductTuning tuning = ProductTuner.Tune(compiler, model.Module, new TuningOptions
        {
            Candidates = parsed.GetValue(Candidates),
            Runs = parsed.GetValue(Runs),
            Measured = result =>
            {
                io.Progress(result.Product);
                table.AddRow(result.Product, result.Expected, Time(result.ExpectedMicroseconds), result.Fastest, Time(result.Microseconds));
            },
        });
        (before?.With(tuning) ?? tuning).WriteFile(path);
        table.Write(io.Output);
        io.Output.WriteLine(
            $"{path}: {tuning.Count} products for {compiler.Target} with {compiler.Target.Multiprocessors} multiprocessors");
        if (device == Devices.Interpreter)
        {
            io.Error.WriteLine("graphene: the interpreter's times say nothing about a GPU; its entries are used by no other device");
        }
        return ExitCode.Success;
    }

    private static string Time(double microseconds) => microseconds.ToString("F1", CultureInfo.InvariantCulture);
}
