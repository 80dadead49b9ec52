using System.Diagnostics;
using Graphene.Cli.Execution;
using static Graphene.Bench.OpCase;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>
/// One op at a time, as it occurs in real networks, in turns with the FMA rate of the same millisecond: shows at once which shape a
/// schedule serves badly.
/// </summary>
/// <remarks>
/// The share of the FMA rate is given twice: the median over all turns, and the fastest run over the fastest probe. Whoever uses the other
/// half of a shared core slows the probe, which does nothing but multiply, more than it slows code that waits for memory now and then: on a
/// busy host medians go above 100 %, and the second number is the one to look at.
/// </remarks>
internal static class SingleOps
{
    private const double SliceSeconds = 0.002;
    private const int LeastTurns = 9;
    private static readonly TimeSpan PauseBeforeProbe = TimeSpan.FromMilliseconds(2);

    /// <summary>Compiles and times all ops whose name contains a text.</summary>
    public static ResultTable Run(string filter, IReadOnlyList<int> threadCounts, double seconds)
    {
        var table = new ResultTable("op", "threads", "ms", "GFLOP/s", "of FMA peak: median / fastest", "GB/s");
        foreach (int threads in threadCounts)
        {
            foreach (OpCase op in All().Where(op => op.Name.Contains(filter, StringComparison.Ordinal)))
            {
                (double median, double share, double fastest) = Time(op, threads, seconds);
                bool isArithmetic = op.Flops > 0;
                table.Add(
                    op.Name, Invariant($"{threads}"), Ms(median * 1e3), isArithmetic ? Invariant($"{op.Flops / median / 1e9:F1}") : "-",
                    isArithmetic ? Invariant($"{share:P0} / {fastest:P0}") : "-", Invariant($"{op.Bytes / median / 1e9:F1}"));
            }
        }
        return table;
    }

    // The median time of a run, the median share of the FMA rate that was measured right before and after a few runs, and the fastest runs'.
    private static (double Seconds, double Share, double Fastest) Time(OpCase op, int threads, double seconds)
    {
        using var run = new OpRun(op, threads);
        run.Run();
        var times = new List<double>();
        var shares = new List<double>();
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        double before = SampleFmaGigaflops(threads);
        double peak = before;
        do
        {
            if (threads > 1)
            {
                run.MeanSeconds(SliceSeconds); // wakes the pool
            }
            double time = run.MeanSeconds(SliceSeconds);
            double after = SampleFmaGigaflops(threads);
            times.Add(time);
            shares.Add(op.Flops / time / 1e9 / ((before + after) / 2));
            before = after;
            peak = Math.Max(peak, after);
        }
        while (Stopwatch.GetTimestamp() < end || times.Count < LeastTurns);
        return (Measurement.Median(times), Measurement.Median(shares), op.Flops / times.Min() / 1e9 / peak);
    }

    // The pool's threads look for more work before they sleep, on the very processors that the probe's threads are to have.
    private static double SampleFmaGigaflops(int threads)
    {
        if (threads > 1)
        {
            Thread.Sleep(PauseBeforeProbe);
        }
        return Ceilings.SampleFmaGigaflops(threads);
    }

    private static IEnumerable<OpCase> All() =>
    [
        Product(256, 256, 256), Product(512, 512, 512), Product(1024, 1024, 1024), Product(2048, 2048, 2048),
        Product(128, 768, 768), Product(128, 768, 3072), Product(128, 3072, 768),
        Product(1, 784, 512), Product(1, 768, 3072), Product(1, 4096, 4096),
        Batched(12, 128, 64, 128, true), Batched(12, 128, 128, 64, false),
        .. Resnet50(),
        Convolution(112, 16, 96, 1, 1), Convolution(56, 96, 24, 1, 1), Convolution(56, 24, 144, 1, 1), Convolution(7, 160, 960, 1, 1),
        Depthwise(112, 32, 1), Depthwise(112, 96, 2), Depthwise(56, 144, 1), Depthwise(28, 192, 1), Depthwise(14, 384, 1), Depthwise(7, 960, 1),
        .. GradientProducts(),
        .. TorchWorkload.All().Select(w => w.Case),
    ];

    private static IEnumerable<OpCase> Resnet50() =>
    [
        Convolution(224, 3, 64, 7, 2), Convolution(56, 64, 64, 1, 1), Convolution(56, 64, 64, 3, 1), Convolution(56, 64, 256, 1, 1),
        Convolution(28, 128, 128, 3, 1), Convolution(28, 512, 128, 1, 1), Convolution(56, 256, 512, 1, 2), Convolution(14, 256, 256, 3, 1),
        Convolution(14, 1024, 256, 1, 1), Convolution(7, 512, 512, 3, 1), Convolution(7, 2048, 512, 1, 1), Convolution(7, 512, 2048, 1, 1),
    ];

    // What a dense layer of k inputs and n outputs does in training, forward, to its inputs and to its weights; weights are fed.
    private static IEnumerable<OpCase> GradientProducts() => new[] { (128, 784, 512), (1024, 256, 1024), (1024, 1024, 256) }.SelectMany(s =>
        new[] { Fed("forward", s.Item1, s.Item2, s.Item3, 1, 0), Fed("dx", s.Item1, s.Item3, s.Item2, 1, 1), Fed("dw", s.Item2, s.Item1, s.Item3, 0, 0) });

    private static OpCase Fed(string name, int m, int k, int n, int left, int right) => new(
        $"{name} {m}x{k}x{n}, both operands fed", 2.0 * m * k * n, 4.0 * ((m * k) + ((double)k * n) + (m * n)),
        () => [left == 1 ? Noise(m, k) : Noise(k, m), right == 0 ? Noise(k, n) : Noise(n, k)],
        (b, p) => b.DotGeneral(p[0], p[1], [], [], [left], [right]));

    private static OpCase Product(int m, int k, int n) => new(
        $"dot {m}x{k}x{n}", 2.0 * m * k * n, 4.0 * ((m * k) + ((double)k * n) + (m * n)), () => [Noise(m, k)],
        (b, p) => b.DotGeneral(p[0], b.Constant(Noise(k, n)), [], [], [1], [0]));

    private static OpCase Batched(int batch, int m, int k, int n, bool transposed) => new(
        $"dot {batch} of {m}x{k}x{n}{(transposed ? ", transposed" : "")}", 2.0 * batch * m * k * n, 4.0 * batch * ((m * k) + (k * n) + (m * n)),
        () => [Noise(batch, m, k), transposed ? Noise(batch, n, k) : Noise(batch, k, n)],
        (b, p) => b.DotGeneral(p[0], p[1], [0], [0], [2], [transposed ? 2 : 1]));

    private static OpCase Convolution(int size, int inputs, int outputs, int kernel, int stride)
    {
        int result = (size + stride - 1) / stride;
        return new(
            $"convolution {size}x{size} {inputs}->{outputs}, {kernel}x{kernel}, stride {stride}",
            2.0 * result * result * inputs * outputs * kernel * kernel,
            4.0 * ((size * size * inputs) + (result * result * outputs) + (inputs * outputs * kernel * kernel)),
            () => [Noise(1, size, size, inputs)],
            (b, p) => b.Convolution(
                p[0], b.Constant(Noise(kernel, kernel, inputs, outputs)), ConvolutionDimensions.ChannelsLast(2), Window(size, kernel, stride)));
    }

    private static OpCase Depthwise(int size, int features, int stride)
    {
        int result = (size + stride - 1) / stride;
        return new(
            $"depthwise {size}x{size} of {features}, 3x3, stride {stride}", 2.0 * result * result * features * 9,
            4.0 * ((size * size * features) + (result * result * features)), () => [Noise(1, size, size, features)],
            (b, p) => b.Convolution(
                p[0], b.Constant(Noise(3, 3, 1, features)), ConvolutionDimensions.ChannelsLast(2), Window(size, 3, stride), features));
    }

    private static WindowDim[] Window(int size, int kernel, int stride)
    {
        int result = (size + stride - 1) / stride;
        var dim = new WindowDim(kernel, Stride: stride, Low: kernel / 2, High: ((result - 1) * stride) + kernel - size - (kernel / 2));
        return [dim, dim];
    }
}
