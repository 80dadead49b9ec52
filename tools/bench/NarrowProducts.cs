using System.Diagnostics;
using Graphene.Codegen;
using Graphene.Runtime;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>Matrix products with constant right operands of narrow types, in turns with the same product in f32.</summary>
internal static class NarrowProducts
{
    // Several runs even of the product that reads 64 MiB: the first one after the others' turn finds its operands where they left them.
    private const double SliceSeconds = 0.02;

    private static readonly (string Name, DType Left, DType Right, DType Result)[] Types =
    [
        ("f32", DType.F32, DType.F32, DType.F32),
        ("bf16", DType.BF16, DType.BF16, DType.F32),
        ("f16", DType.F16, DType.F16, DType.F32),
        ("i8", DType.I8, DType.I8, DType.I32),
        ("u8 x i8", DType.U8, DType.I8, DType.I32),
    ];

    private static readonly (int Rows, int Depth, int Columns)[] Shapes =
    [
        (256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (128, 768, 3072), (1, 4096, 4096),
    ];

    /// <summary>Compiles and times all products whose name, such as <c>narrow 256x256x256</c>, contains a text.</summary>
    public static ResultTable Run(string filter, IReadOnlyList<int> threadCounts, double seconds)
    {
        var table = new ResultTable("product", "threads", "type", "ms", "GOP/s", "times f32");
        foreach (int threads in threadCounts)
        {
            foreach ((int rows, int depth, int columns) in Shapes)
            {
                string name = Invariant($"narrow {rows}x{depth}x{columns}");
                if (name.Contains(filter, StringComparison.Ordinal))
                {
                    Add(table, name, threads, Time(rows, depth, columns, threads, seconds), 2.0 * rows * depth * columns);
                }
            }
        }
        return table;
    }

    private static void Add(ResultTable table, string name, int threads, double[][] times, double operations)
    {
        for (int t = 0; t < Types.Length; t++)
        {
            // Slices of one turn are neighbours in time, so their ratio is not that of two different loads of the machine.
            double ratio = Measurement.Median([.. times[0].Zip(times[t], (f32, own) => f32 / own)]);
            double median = Measurement.Median([.. times[t]]);
            table.Add(
                name, Invariant($"{threads}"), Types[t].Name, Ms(median * 1e3), Invariant($"{operations / median / 1e9:F0}"),
                Invariant($"{ratio:F2}"));
        }
    }

    // Seconds of a run, for each type and turn.
    private static double[][] Time(int rows, int depth, int columns, int threads, double seconds)
    {
        Bound[] products = [.. Types.Select(t => new Bound(rows, depth, columns, t.Left, t.Right, t.Result, threads))];
        var times = new List<double>[products.Length];
        for (int t = 0; t < times.Length; t++)
        {
            times[t] = [];
        }
        long end = Stopwatch.GetTimestamp() + (long)(seconds * products.Length * Stopwatch.Frequency);
        do
        {
            for (int t = 0; t < products.Length; t++)
            {
                times[t].Add(products[t].Slice());
            }
        }
        while (Stopwatch.GetTimestamp() < end);
        Array.ForEach(products, p => p.Dispose());
        return Array.ConvertAll(times, t => t.ToArray());
    }

    private static Literal Noise(DType type, params long[] dims)
    {
        var random = new Random(1);
        return Literal.Generate(
            new TensorType(type, Shape.Of(dims)),
            _ => type.IsFloating() ? Scalar.FromDouble(type, random.NextDouble() - 0.5) : Scalar.FromInteger(type, random.Next(0, 127)));
    }

    // One compiled product with its memory.
    private sealed class Bound : IDisposable
    {
        private readonly Session _session;
        private readonly Callable _callable;
        private readonly BoundCall _call;

        public Bound(int rows, int depth, int columns, DType left, DType right, DType result, int threads)
        {
            var b = new GraphBuilder();
            Node x = b.Parameter(0, new TensorType(left, Shape.Of(rows, depth)));
            Node y = b.DotGeneral(x, b.Constant(Noise(right, depth, columns)), [], [], [1], [0], result);
            var module = new Module("product", b.Build("product", [y], []), ["x"], ["y"], b.Provenance);
            _session = new Session(module, GraphCompiler.Cpu(), new SessionOptions { MaxThreads = threads });
            _callable = _session.MakeCallable(["y"]);
            _call = _callable.Bind([[rows, depth]]);
            Fill(Noise(left, rows, depth));
            _call.Run();
        }

        public double Slice()
        {
            long start = Stopwatch.GetTimestamp();
            int runs = 0;
            do
            {
                _call.Run();
                runs++;
            }
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < SliceSeconds);
            return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
        }

        public void Dispose()
        {
            _call.Dispose();
            _callable.Dispose();
            _session.Dispose();
        }

        private void Fill(Literal x)
        {
            switch (x.DType)
            {
                case DType.F32: x.As<float>().CopyTo(_call.Input<float>(0)); break;
                case DType.F16: x.As<Half>().CopyTo(_call.Input<Half>(0)); break;
                case DType.BF16: x.As<BFloat16>().CopyTo(_call.Input<BFloat16>(0)); break;
                case DType.I8: x.As<sbyte>().CopyTo(_call.Input<sbyte>(0)); break;
                default: x.As<byte>().CopyTo(_call.Input<byte>(0)); break;
            }
        }
    }
}
