using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Cli.Execution;

/// <summary>What each kernel of a model takes and achieves, beside what the machine can do: a roofline.</summary>
/// <remarks>
/// Measured in code that reports its kernel calls, a few tens of nanoseconds each. Bytes are what a kernel must read and write
/// at least; those that an earlier kernel left in a cache come faster than memory, so more than 100 % is possible.
/// </remarks>
/// <param name="Kernels">One row for each kernel call that happened, the longest first.</param>
/// <param name="RunMs">A whole run with its reports, the mean.</param>
/// <param name="Ceilings">Measured right after.</param>
internal sealed record KernelReport(IReadOnlyList<KernelReport.Row> Kernels, double RunMs, Ceilings Ceilings)
{
    private const int RowsShown = 25;
    private const int SourceShown = 70;

    /// <summary>Compiles a model for profiling and runs it.</summary>
    public static KernelReport Measure(
        LoadedModel model, IReadOnlyList<Literal> inputs, string device, int threads, int warmup, int runs,
        OptimizerOptions? optimizer = null,
        ProductTuning? tuning = null)
    {
        IReadOnlyDictionary<string, long> symbols = SymbolBinding.Bind(model, inputs);
        return device == Devices.Cpu
            ? Measure(model.Module, inputs, symbols, threads, warmup, runs, optimizer)
            : MeasureGpu(model.Module, inputs, symbols, device, tuning, warmup, runs);
    }

    /// <summary>Compiles a module for profiling and runs it.</summary>
    public static KernelReport Measure(
        Module module, IReadOnlyList<Literal> inputs, IReadOnlyDictionary<string, long> symbols, int threads, int warmup, int runs,
        OptimizerOptions? optimizer = null)
    {
        Executable executable = GraphCompiler.Cpu(new GraphCompilerOptions
        {
            IsProfiled = true,
            Optimizer = (optimizer ?? OptimizerOptions.Default) with { Debug = DebugOptions.FromEnvironment() },
        }).Compile(module, NullLogger.Instance, CancellationToken.None);
        using NativeProgram program = NativeProgram.Load(executable);
        int width = threads == 0 ? ComputePool.Shared.Width : threads;
        return Measure(program, program.Plan, inputs, symbols, threads, warmup, runs, () => Ceilings.Measure(width));
    }

    // Marks in the stream tell the times: no code of its own is needed.
    private static KernelReport MeasureGpu(
        Module module, IReadOnlyList<Literal> inputs, IReadOnlyDictionary<string, long> symbols, string device,
        ProductTuning? tuning, int warmup,
        int runs)
    {
        using GpuCompiler compiler = Devices.Gpu(device, tuning);
        using var program = (GpuProgram)compiler.Load(compiler.Compile(module, NullLogger.Instance, CancellationToken.None));
        return Measure(
            program, program.Plan, inputs, symbols, 0, warmup, runs,
            () => new Ceilings(compiler.Device.Multiprocessors, 0, compiler.Device.MeasureCopyRate() / 1e9));
    }

    private static KernelReport Measure(
        GraphProgram program, ExecutablePlan plan, IReadOnlyList<Literal> inputs, IReadOnlyDictionary<string, long> symbols, int threads,
        int warmup, int runs, Func<Ceilings> ceilings)
    {
        var profile = new KernelProfile();
        using Callable callable = program.MakeCallable(new RunOptions { MaxThreads = threads, Profile = profile });
        using BoundCall call = callable.Bind([.. inputs.Select(i => i.Shape.ToStatic())]);
        for (int i = 0; i < inputs.Count; i++)
        {
            BoundInput.Fill(call, i, inputs[i]);
        }
        for (int i = 0; i < warmup; i++)
        {
            call.Run();
        }
        profile.Clear();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++)
        {
            call.Run();
        }
        double runMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds / runs;

        IEnumerable<Row> rows = plan.Kernels.Select((k, i) => new Row(
            k.Name, k.Source, (double)profile.Calls(i) / runs, profile.Elapsed(i).TotalMilliseconds / runs,
            ValueOf(k.Flops, symbols), ValueOf(k.Bytes, symbols)));
        return new KernelReport([.. rows.Where(r => r.Calls > 0).OrderByDescending(r => r.Ms)], runMs, ceilings());
    }

    /// <summary>Prints a table of the kernels that take longest, and how much of a run all of them are.</summary>
    public void Show(CommandIO io)
    {
        var table = new TextTable("kernel", "calls", "ms", "of run", "GFLOP/s", "of peak", "GB/s", "of read", "source");
        List<Row> kernels = [.. Kernels.GroupBy(k => k.Name).Select(Together).OrderByDescending(k => k.Ms)];
        foreach (Row row in kernels.Take(RowsShown))
        {
            string source = row.Source.Length <= SourceShown ? row.Source : row.Source[..(SourceShown - 3)] + "...";
            table.AddRow(
                row.Name, Number(row.Calls), Number(row.Ms), Percent(row.Ms / RunMs), Number(row.Gigaflops),
                Ceilings.FmaGigaflops > 0 ? Percent(row.Gigaflops / Ceilings.FmaGigaflops) : "", Number(row.GigabytesPerSecond),
                Percent(row.GigabytesPerSecond / Ceilings.ReadGigabytesPerSecond), source);
        }
        table.Write(io.Output);
        double all = Kernels.Sum(r => r.Ms);
        io.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Kernels.Count} kernel calls, {all:G4} of {RunMs:G4} ms; ceilings right after, {Ceilings}"));
        if (kernels.Count > RowsShown)
        {
            io.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"the other {kernels.Count - RowsShown} kernels take {kernels.Skip(RowsShown).Sum(r => r.Ms):G3} ms; --json lists them"));
        }
    }

    // Calls of one structure do the same work on other memory.
    private static Row Together(IEnumerable<Row> calls)
    {
        Row[] all = [.. calls];
        return all.Length == 1
            ? all[0]
            : all[0] with { Calls = all.Sum(c => c.Calls), Ms = all.Sum(c => c.Ms) };
    }

    /// <summary>Adds <c>kernel_profile</c> to an open JSON object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("kernel_profile");
        json.WriteNumber("run_ms", Math.Round(RunMs, 5));
        json.WriteNumber("threads", Ceilings.Threads);
        json.WriteNumber("fma_gflops", Math.Round(Ceilings.FmaGigaflops, 2));
        json.WriteNumber("read_gb_per_s", Math.Round(Ceilings.ReadGigabytesPerSecond, 2));
        if (Ceilings.HandoverNanoseconds is { } handover)
        {
            json.WriteNumber("core_to_core_ns", Math.Round(handover, 1));
        }
        json.WriteStartArray("kernels");
        foreach (Row row in Kernels)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            json.WriteNumber("calls", Math.Round(row.Calls, 3));
            json.WriteNumber("ms", Math.Round(row.Ms, 6));
            json.WriteNumber("flops", row.Flops);
            json.WriteNumber("bytes", row.Bytes);
            json.WriteString("source", row.Source);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // A symbol that no input shows alone has no value here; its kernels have no rates.
    private static long ValueOf(Dim dim, IReadOnlyDictionary<string, long> symbols) =>
        dim.Symbols.All(s => symbols.ContainsKey(s.Name)) ? dim.Evaluate(s => symbols[s.Name]) : 0;

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string Percent(double value) => value.ToString("P0", CultureInfo.InvariantCulture);

    /// <summary>One kernel call.</summary>
    /// <param name="Name">The kernel's symbol; calls of one structure share it.</param>
    /// <param name="Source">The ops it does, and where they came from.</param>
    /// <param name="Calls">How often a run makes it; more or less than once in loops and branches.</param>
    /// <param name="Ms">What all of them take in a run.</param>
    /// <param name="Flops">Arithmetic operations of one call.</param>
    /// <param name="Bytes">Bytes that one call must read and write.</param>
    internal sealed record Row(string Name, string Source, double Calls, double Ms, long Flops, long Bytes)
    {
        /// <summary>10^9 operations per second.</summary>
        public double Gigaflops => Ms > 0 ? Flops * Calls / Ms / 1e6 : 0;

        /// <summary>10^9 bytes per second.</summary>
        public double GigabytesPerSecond => Ms > 0 ? Bytes * Calls / Ms / 1e6 : 0;
    }
}
