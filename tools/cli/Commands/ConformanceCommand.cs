using System.Collections.Concurrent;
using System.CommandLine;
using Graphene.Cli.Conformance;
using Graphene.Cli.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene conformance onnx DIR</c>: runs a folder of cases, each in a worker process.</summary>
internal static class ConformanceCommand
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "Folder of cases, at any depth." };

    private static readonly Option<string?> Report = new("--report") { Description = "Write case, result and reason to this .tsv file." };

    private static readonly Option<string?> Filter = new("--filter") { Description = "Only cases whose name contains this." };

    private static readonly Option<int> Seconds = new("--timeout")
    {
        Description = "Seconds after which a case counts as failed.",
        DefaultValueFactory = _ => 60,
    };

    private static readonly Option<int> Jobs = new("--jobs")
    {
        Description = "Worker processes.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var onnx = new Command("onnx", "Cases in the layout of the ONNX backend tests: model.onnx, test_data_set_*/.")
        {
            Folder, Report, Filter, ToleranceOptions.Relative, ToleranceOptions.Absolute, ToleranceOptions.OfLargest,
            CommonOptions.Device, Seconds, Jobs,
        };
        onnx.SetAction(p => Run(p, io));

        var worker = new Command("worker", "Runs cases named on the standard input.")
        {
            ToleranceOptions.Relative, ToleranceOptions.Absolute, ToleranceOptions.OfLargest, CommonOptions.Device,
        };
        worker.Hidden = true;
        worker.SetAction(p =>
        {
            Serve(p);
            return ExitCode.Success;
        });
        return new Command("conformance", "Runs a folder of public test cases.") { onnx, worker };
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string? filter = parsed.GetValue(Filter);
        OnnxCase[] cases =
        [
            .. OnnxCase.Find(parsed.GetRequiredValue(Folder))
                .Where(c => filter is null || c.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)),
        ];
        if (cases.Length == 0)
        {
            throw new UsageException($"there is no case (a folder with model.onnx) in {parsed.GetValue(Folder)}");
        }

        var report = new ConformanceReport(RunAll(parsed, cases, io));
        if (parsed.GetValue(Report) is { } path)
        {
            report.WriteTsv(path);
        }
        io.Output.WriteLine(
            $"{cases.Length} cases with {cases.Sum(c => c.DataSets().Count)} data sets on {parsed.GetValue(CommonOptions.Device)}");
        report.WriteSummary(io.Output);
        return report.Count(CaseResult.Failed) == 0 ? ExitCode.Success : ExitCode.Negative;
    }

    private static (string, CaseOutcome)[] RunAll(ParseResult parsed, OnnxCase[] cases, CommandIO io)
    {
        string[] arguments =
        [
            "conformance", "worker", "--device", parsed.GetRequiredValue(CommonOptions.Device),
            .. ToleranceOptions.AsArguments(parsed),
        ];
        var limit = TimeSpan.FromSeconds(Math.Max(1, parsed.GetValue(Seconds)));
        var outcomes = new (string, CaseOutcome)[cases.Length];
        var next = new ConcurrentQueue<int>(Enumerable.Range(0, cases.Length));
        int done = 0;
        Thread[] threads =
        [
            .. Enumerable.Range(0, Math.Clamp(parsed.GetValue(Jobs), 1, cases.Length)).Select(_ => new Thread(() =>
            {
                using var worker = new CaseWorker(arguments, limit);
                while (next.TryDequeue(out int i))
                {
                    outcomes[i] = (cases[i].Name, worker.Run(cases[i].Folder));
                    int count = Interlocked.Increment(ref done);
                    if (count % 100 == 0)
                    {
                        io.Progress($"{count} of {cases.Length}");
                    }
                }
            })),
        ];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return outcomes;
    }

    private static void Serve(ParseResult parsed)
    {
        TextWriter answers = Console.Out;
        Console.SetOut(Console.Error); // a graph that prints must not talk into the answers
        var runner = new OnnxCaseRunner(
            Devices.Compiler(parsed.GetRequiredValue(CommonOptions.Device), NullLogger.Instance),
            usual => ToleranceOptions.Choose(parsed, usual));
        CaseWorker.Serve(Console.In, answers, folder => runner.Run(new OnnxCase(Path.GetFileName(folder), folder)));
    }
}
