using System.Diagnostics;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>What a bundle costs at its start, and whether it runs as fast as code that was compiled in the process.</summary>
internal static class BundleStart
{
    private const int Inputs = 784;
    private const int Rounds = 400;

    /// <summary>Writes a network of a million parameters as a bundle for all 64-bit x86.</summary>
    public static void Write(string path)
    {
        AotTarget target = AotTarget.Parse("x86-64");
        Module module = Mlp();
        Executable[] code = [.. target.Compilers().Select(c => c.Compile(module, NullLogger.Instance, CancellationToken.None))];
        var content = new BundleContent
        {
            Name = "mlp",
            Functions = [new BundleFunction("run", [.. code.Zip(target.Variants, (e, v) => new BundleCode(v.Name, e)).Reverse()])],
        };
        content.WriteFile(path);
        Array.ForEach(code, e => e.Dispose());
        Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes, variants {string.Join(", ", target.Variants.Select(v => v.Name))}");
    }

    /// <summary>Loads and runs once; to be the first that a process does.</summary>
    public static void Load(string path)
    {
        float[] x = new float[Inputs];
        float[] y = new float[10];
        long start = Stopwatch.GetTimestamp();
        using CompiledGraph graph = CompiledGraph.Load(path);
        double loaded = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        using Callable call = graph.Program().MakeCallable();
        call.Run(x, y);
        double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine(
            $"load {loaded:F2} ms, load and first run {first:F2} ms, variant {graph.Variant}, " +
            $"{System.Runtime.JitInfo.GetCompiledMethodCount()} methods compiled since the process began");
    }

    /// <summary>A loaded bundle and a session of the same graph, in turns.</summary>
    public static ResultTable Compare(string path)
    {
        var table = new ResultTable("threads", "session", "bundle", "bundle / session");
        foreach (int threads in new[] { 1, 2 })
        {
            var options = new RunOptions { MaxThreads = threads };
            using GraphProgram compiled = NativeProgram.Load(GraphCompiler.Cpu().Compile(Mlp(), NullLogger.Instance, CancellationToken.None));
            using CompiledGraph graph = CompiledGraph.Load(path);
            using Callable left = compiled.MakeCallable(options);
            using Callable right = graph.Program().MakeCallable(options);
            using BoundCall session = left.Bind([1, Inputs]);
            using BoundCall bundle = right.Bind([1, Inputs]);
            var times = new double[2][];
            times[0] = new double[Rounds];
            times[1] = new double[Rounds];
            for (int round = -50; round < Rounds; round++)
            {
                for (int way = 0; way < 2; way++)
                {
                    BoundCall call = way == 0 ? session : bundle;
                    long start = Stopwatch.GetTimestamp();
                    for (int i = 0; i < 10; i++)
                    {
                        call.Run();
                    }
                    if (round >= 0)
                    {
                        times[way][round] = Stopwatch.GetElapsedTime(start).TotalMicroseconds / 10;
                    }
                }
            }
            double ratio = Measurement.Median(times[1].Zip(times[0], (b, s) => b / s));
            table.Add(
                $"{threads}", Invariant($"{Measurement.Median(times[0]):F1} us"), Invariant($"{Measurement.Median(times[1]):F1} us"),
                Invariant($"{ratio:F3}"));
        }
        return table;
    }

    // 784-960-256-10: 1,002,186 parameters.
    private static Module Mlp()
    {
        var graph = new Graph();
        Tensor Layer(Tensor input, int from, int to)
        {
            Tensor weights = graph.Constant(Literal.From<float>([.. Enumerable.Range(0, from * to).Select(i => MathF.Sin(i) / 16)], from, to));
            Tensor bias = graph.Constant(Literal.From<float>([.. Enumerable.Range(0, to).Select(i => MathF.Cos(i) / 16)], to));
            return input.MatMul(weights) + bias;
        }
        Tensor x = graph.Placeholder(DType.F32, ["batch", Inputs], "x");
        return graph.ToModule([Layer(Layer(Layer(x, Inputs, 960).Relu(), 960, 256).Relu(), 256, 10).Softmax()]);
    }
}
