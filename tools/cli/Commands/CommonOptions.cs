using System.CommandLine;
using System.Globalization;
using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Optimizer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Graphene.Cli.Commands;

/// <summary>Arguments and options that several commands share, always with the same meaning.</summary>
internal static class CommonOptions
{
    private const string JsonLog = "json";

    private static readonly (string Name, WinogradTiles Tiles)[] TilesOfWinograd =
        [("none", WinogradTiles.None), ("2x2", WinogradTiles.TwoByTwo), ("4x4", WinogradTiles.FourByFour)];

    public static readonly Argument<string> Model = new("MODEL")
    {
        Description = "An ONNX model, IR text (.hlo), or a bundle that `graphene compile` wrote (.graphene).",
    };

    public static readonly Option<string[]> Input = new("--input")
    {
        Description = "NAME=FILE: an input's value, .npy or .pb with one ONNX tensor. May be repeated.",
        DefaultValueFactory = _ => [],
    };

    public static readonly Option<long?> Random = new("--random")
    {
        Description = "Random values of this seed for all inputs without a file.",
    };

    public static readonly Option<string[]> Dim = new("--dim")
    {
        Description = "NAME=N: the size of a symbolic dimension. May be repeated.",
        DefaultValueFactory = _ => [],
    };

    public static readonly Option<string> Device = DeviceOption();

    public static readonly Option<string?> Tuning = new("--tuning")
    {
        Description = "FILE that `graphene tune` wrote: tiles of products that were measured to be the fastest, for GPUs.",
    };

    public static readonly Option<int> Threads = ThreadsOption();

    public static readonly Option<string> Winograd = WinogradOption();

    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Say on the error stream what is compiled, cached and loaded, and why.",
        Recursive = true,
    };

    public static readonly Option<string?> Log = LogOption();

    /// <summary>Loggers that write to the error stream with <c>--verbose</c> or <c>--log</c>, and nowhere without them.</summary>
    public static ILoggerFactory Loggers(ParseResult parsed)
    {
        string? format = parsed.GetValue(Log);
        if (format is null && !parsed.GetValue(Verbose))
        {
            return NullLoggerFactory.Instance; // the other one brings a container of services, whose start shows in that of a short run
        }
        return LoggerFactory.Create(builder =>
        {
            builder.SetMinimumLevel(LogLevel.Debug);
            _ = format == JsonLog
                ? builder.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O"))
                : builder.AddSimpleConsole(o => o.SingleLine = true);
            builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        });
    }

    /// <summary>What the command line chooses about the optimizer.</summary>
    public static OptimizerOptions Optimizer(ParseResult parsed) =>
        OptimizerOptions.Default with { Winograd = TilesOfWinograd.Single(t => t.Name == parsed.GetRequiredValue(Winograd)).Tiles };

    /// <summary>The values of <c>--dim</c>.</summary>
    /// <exception cref="UsageException">One is not NAME=N.</exception>
    public static IReadOnlyDictionary<string, long> Dims(ParseResult parsed)
    {
        var dims = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in parsed.GetValue(Dim) ?? [])
        {
            int at = text.LastIndexOf('=');
            if (at <= 0 || !long.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
            {
                throw new UsageException($"'{text}' is not NAME=N");
            }
            if (!dims.TryAdd(text[..at], size))
            {
                throw new UsageException($"dimension '{text[..at]}' is given twice");
            }
        }
        return dims;
    }

    /// <summary>The record of <c>--tuning</c>; null for none.</summary>
    public static ProductTuning? TuningOf(ParseResult parsed) => parsed.GetValue(Tuning) is { } path ? ProductTuning.Read(path) : null;

    /// <summary>
    /// Reads the model for <c>--dim</c> and, where it can only be imported for given values, for those
    /// of <c>--input</c>.
    /// </summary>
    public static LoadedModel Load(ParseResult parsed) => Load(parsed, parsed.GetRequiredValue(Model));

    /// <summary>Reads a model from a path for the same options.</summary>
    public static LoadedModel Load(ParseResult parsed, string path) => ModelLoader.Load(
        path, Dims(parsed), InputSet.Read(parsed.GetValue(Input) ?? [], seed: null).Find);

    private static Option<string?> LogOption()
    {
        var option = new Option<string?>("--log")
        {
            Description = "FORMAT: what --verbose says, as text, or as json: one object on each line.",
            Recursive = true,
        };
        option.AcceptOnlyFromAmong("text", JsonLog);
        return option;
    }

    private static Option<int> ThreadsOption()
    {
        var option = new Option<int>("--threads")
        {
            Description = "Threads that a run may use; 0 takes all that this process may.",
            DefaultValueFactory = _ => 0,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) < 0)
            {
                result.AddError("--threads must be 0 or more");
            }
        });
        return option;
    }

    private static Option<string> WinogradOption()
    {
        var option = new Option<string>("--winograd")
        {
            Description = "The largest tiles in which 3x3 convolutions are computed with fewer products, by Winograd's filtering, where that " +
                "is faster: 2x2 errs less than the definition, 4x4 by some bits more, and an infinity or NaN reaches the results around " +
                "it. Weights grow by 16/9 and 4. For processors.",
            DefaultValueFactory = _ => TilesOfWinograd.Single(t => t.Tiles == OptimizerOptions.Default.Winograd).Name,
        };
        option.AcceptOnlyFromAmong([.. TilesOfWinograd.Select(t => t.Name)]);
        return option;
    }

    private static Option<string> DeviceOption()
    {
        var option = new Option<string>("--device")
        {
            Description = "Where to run.",
            DefaultValueFactory = _ => Devices.Names[0],
        };
        option.AcceptOnlyFromAmong(Devices.Names);
        return option;
    }
}
