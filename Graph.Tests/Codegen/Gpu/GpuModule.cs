using System.Diagnostics;
using System.Globalization;
using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// A module as the compiler lowers it for a GPU, with every kernel run by the interpreter. What goes wrong names the node, the schedule
/// and a file with the kernel.
/// </summary>
internal sealed class GpuModule : PlannedModule
{
    private readonly Dictionary<Kernel, SimtProgram> _programs = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, (int Kernels, int Runs, TimeSpan Time)> _schedules = new(StringComparer.Ordinal);
    private readonly WatchedTasks _watched;

    /// <param name="module">The module.</param>
    /// <param name="target">The GPU; null for an H100.</param>
    /// <param name="watched">In which tasks races between threads are looked for; null for all.</param>
    public GpuModule(Module module, GpuTarget? target = null, WatchedTasks? watched = null)
        : base(module, KernelTarget.Of(target ?? new GpuTarget(90, true))) => _watched = watched ?? WatchedTasks.All;

    /// <summary>The processor time that kernels took.</summary>
    public TimeSpan Time => _schedules.Values.Aggregate(TimeSpan.Zero, (sum, s) => sum + s.Time);

    /// <summary>How many kernels ran, each counted as often as it did.</summary>
    public int Runs => _schedules.Values.Sum(s => s.Runs);

    /// <summary>
    /// The kernels that ran, by the node they compute and by whether they have a schedule of their own,
    /// with counts and times.
    /// </summary>
    public IEnumerable<string> Report => _schedules.OrderByDescending(s => s.Value.Time).Select(s => string.Create(
        CultureInfo.InvariantCulture,
        $"{s.Key}: {s.Value.Kernels} kernels, {s.Value.Runs} runs, {s.Value.Time.TotalMilliseconds:0} ms"));

    /// <summary>Runs the plan; calls of the host are left out.</summary>
    /// <param name="arguments">One value per parameter.</param>
    /// <param name="symbols">The values of symbols; null where all sizes are static.</param>
    public Literal[] Run(IReadOnlyList<Literal> arguments, Func<DimSymbol, long>? symbols = null) =>
        PlanInterpreter.Run(Plan, arguments, (step, memory) => Run(step, memory, symbols), symbols);

    /// <summary>Runs the plan, and compares the results of each step with what the reference makes of the same operands.</summary>
    /// <returns>The steps whose results are further away, the first one first.</returns>
    /// <param name="arguments">One value per parameter.</param>
    /// <param name="relative">How far results may be away, as a part of the largest element.</param>
    public IReadOnlyList<string> FindWrongSteps(IReadOnlyList<Literal> arguments, double relative)
    {
        var wrong = new List<string>();
        PlanInterpreter.Run(Plan, arguments, (step, memory) =>
        {
            Literal[] operands = [.. step.Operands.Select((b, i) => Read(memory(b), step.Node.Operands[i].Type))];
            Run(step, memory, null);
            if (step.Node.Op is HostCallOp)
            {
                return;
            }
            Literal[] expected = step.Node.Op.EvaluateAll(operands, step.Node.Types);
            for (int r = 0; r < expected.Length; r++)
            {
                Literal actual = Read(memory(step.Results[r]), expected[r].Type);
                double distance = LargestDistance(actual, expected[r]);
                if (!(distance <= relative))
                {
                    wrong.Add($"result {r} is {distance:g3} away\n{Describe(step)}");
                }
            }
        });
        return wrong;
    }

    private void Run(RunStep step, Func<int, Memory<byte>> memory, Func<DimSymbol, long>? symbols)
    {
        if (step.Node.Op is HostCallOp)
        {
            return;
        }
        long SymbolOf(DimSymbol symbol) =>
            symbols is null ? throw new InvalidOperationException($"no value for {symbol}") : symbols(symbol);
        foreach (LoweredKernel lowered in Lowered(step))
        {
            long before = Stopwatch.GetTimestamp();
            bool isNew = false;
            try
            {
                if (!_programs.TryGetValue(lowered.Kernel, out SimtProgram? program))
                {
                    Assert.That(lowered.Kernel.Threads, Is.Not.Null, $"kernel '{lowered.Kernel.Name}' has no threads");
                    program = SimtProgram.Of(lowered.Kernel);
                    _programs.Add(lowered.Kernel, program);
                    isNew = true;
                }
                Memory<byte>[] contents = [.. lowered.Operands.Select(o => Contents(o, step, memory))];
                new KernelInterpreter(program, contents, SizeOf) { Watched = _watched }.Run();
            }
            catch (Exception e) when (e is not SuccessException)
            {
                throw new InvalidOperationException($"{e.Message}\n{Describe(step)}", e);
            }
            string name = ScheduleOf(lowered.Kernel);
            (int kernels, int runs, TimeSpan time) = _schedules.GetValueOrDefault(name);
            _schedules[name] = (kernels + (isNew ? 1 : 0), runs + 1, time + Stopwatch.GetElapsedTime(before));

            long SizeOf(DimSymbol symbol) => lowered.Kernel.Sizes.ToList().IndexOf(symbol) is var i and >= 0
                ? lowered.Sizes[i].Evaluate(SymbolOf)
                : SymbolOf(symbol);
        }
    }

    /// <summary>The node that a kernel computes, and whether the kernel is the processor's with a thread per task.</summary>
    public static string ScheduleOf(Kernel kernel) => IsThreadPerTask(kernel) ? $"{kernel.Name} (thread per task)" : kernel.Name;

    /// <summary>Whether a kernel is the processor's, with a thread per task.</summary>
    public static bool IsThreadPerTask(Kernel kernel) =>
        kernel.Task.Name == "block" && kernel.Body.Statements is [KLet, KIf { Else: null }];

    private string Describe(RunStep step)
    {
        var text = new System.Text.StringBuilder();
        text.Append("node: ").Append(step.Node.Op.Name).Append(" of ");
        text.AppendJoin(", ", step.Node.Operands.Select(o => o.Types.Length == 1 ? o.Type.ToString() : "tuple"));
        text.Append(" -> ").AppendJoin(", ", step.Node.Types).Append('\n');
        if (step.Node.Op is FusionOp fusion)
        {
            text.Append(fusion.Kind).Append(" fusion:\n").Append(Printer.Print(fusion.Body)).Append('\n');
        }
        foreach (Kernel kernel in Lowered(step).Select(k => k.Kernel))
        {
            text.Append("schedule: ").Append(ScheduleOf(kernel)).Append(", kernel: ").Append(Dump(kernel)).Append('\n');
        }
        return text.ToString();
    }

    private static string Dump(Kernel kernel)
    {
        string folder = Path.Combine(Path.GetTempPath(), "graphene-gpu-kernels");
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{kernel.Name}-{Guid.NewGuid():N}.kernel");
        File.WriteAllText(path, KernelPrinter.Print(kernel));
        return path;
    }

    private static Literal Read(Memory<byte> memory, TensorType type) => new(type, memory[..(int)type.SizeInBytes.Value].ToArray());

    // The largest difference of two elements, as a part of the largest element; NaN where one is NaN and the other is not.
    private static double LargestDistance(Literal actual, Literal expected)
    {
        double largest = 0;
        double distance = 0;
        for (long i = 0; i < expected.ElementCount; i++)
        {
            (double a, double e) = (actual[i].AsDouble, expected[i].AsDouble);
            if (a.Equals(e))
            {
                continue;
            }
            largest = double.IsFinite(e) ? Math.Max(largest, Math.Abs(e)) : largest;
            distance = double.IsNaN(a - e) ? double.NaN : Math.Max(distance, Math.Abs(a - e));
        }
        return distance == 0 ? 0 : distance / Math.Max(largest, 1e-30);
    }
}
