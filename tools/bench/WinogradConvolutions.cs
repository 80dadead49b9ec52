using System.Diagnostics;
using Graphene.Optimizer;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>
/// 3x3 convolutions with bias and activation, by their definition and by Winograd's filtering, in turns; and how far both are from the same
/// convolution in f64.
/// </summary>
internal static class WinogradConvolutions
{
    private const double SliceSeconds = 0.004;

    private static readonly (int Images, int Size, int Inputs, int Outputs)[] Shapes =
    [
        (1, 56, 64, 64), (1, 28, 128, 128), (1, 14, 256, 256), (1, 7, 512, 512), // of resnet50
        (16, 56, 64, 64), (16, 14, 256, 256), (1, 112, 128, 128), (1, 28, 512, 512),
    ];

    /// <summary>Compiles and times all shapes whose name contains a text.</summary>
    public static ResultTable Run(string filter, IReadOnlyList<int> threadCounts, double seconds)
    {
        var table = new ResultTable(
            "convolution", "tile", "threads", "ms", "ms in tiles", "ratio", "largest error", "in tiles", "mean error", "in tiles");
        foreach ((int images, int size, int inputs, int outputs) in Shapes)
        {
            string name = Invariant($"{images}x{size}x{size} {inputs}->{outputs}");
            if (name.Contains(filter, StringComparison.Ordinal))
            {
                OpCase op = Convolution(name, images, size, inputs, outputs);
                foreach (WinogradTiles largest in new[] { WinogradTiles.TwoByTwo, WinogradTiles.FourByFour })
                {
                    if (TileOf(images, size, inputs, outputs, largest) == (int)largest)
                    {
                        threadCounts.ToList().ForEach(threads => Add(table, op, largest, threads, seconds));
                    }
                }
            }
        }
        return table;
    }

    private static void Add(ResultTable table, OpCase op, WinogradTiles largest, int threads, double seconds)
    {
        using var direct = new OpRun(op, threads, OptimizerOptions.Default with { Winograd = WinogradTiles.None });
        using var tiles = new OpRun(op, threads, OptimizerOptions.Default with { Winograd = largest });
        var times = new List<(double Direct, double Tiles)>();
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        do
        {
            times.Add((direct.MeanSeconds(SliceSeconds), tiles.MeanSeconds(SliceSeconds)));
        }
        while (Stopwatch.GetTimestamp() < end);
        ReadOnlySpan<double> exact = Exact(op);
        (double most, double mean) = Error(direct.Result, exact);
        (double mostInTiles, double meanInTiles) = Error(tiles.Result, exact);
        table.Add(
            op.Name, Invariant($"{(int)largest}"), Invariant($"{threads}"), Ms(Measurement.Median(times.Select(t => t.Direct)) * 1e3),
            Ms(Measurement.Median(times.Select(t => t.Tiles)) * 1e3),
            Invariant($"{Measurement.Median(times.Select(t => t.Tiles / t.Direct)):F2}"), Invariant($"{most:E1}"),
            Invariant($"{mostInTiles:E1}"), Invariant($"{mean:E1}"), Invariant($"{meanInTiles:E1}"));
    }

    // The largest and the mean difference, over the largest result.
    private static (double Largest, double Mean) Error(ReadOnlySpan<float> actual, ReadOnlySpan<double> exact)
    {
        (double largest, double sum, double range) = (0, 0, 0);
        for (int i = 0; i < exact.Length; i++)
        {
            double error = Math.Abs(actual[i] - exact[i]);
            (largest, sum, range) = (Math.Max(largest, error), sum + error, Math.Max(range, Math.Abs(exact[i])));
        }
        return (largest / range, sum / exact.Length / range);
    }

    private static ReadOnlySpan<double> Exact(OpCase op)
    {
        Module module = DoublePrecision.Of(op.ToModule());
        using var session = new Runtime.Session(module, Codegen.GraphCompiler.Cpu());
        Literal[] inputs = op.Inputs();
        return session.Run(
            module.OutputNames, module.InputNames.Zip(inputs).ToDictionary(p => p.First, p => (Runtime.Feed)DoublePrecision.Of(p.Second)))[0].As<double>();
    }

    private static OpCase Convolution(string name, int images, int size, int inputs, int outputs)
    {
        Literal bias = OpCase.Normal(outputs);
        return new(
            name, 18.0 * images * size * size * inputs * outputs,
            4.0 * ((images * size * size * (inputs + outputs)) + (inputs * outputs * 9)), () => [OpCase.Normal(images, size, size, inputs)],
            (b, p) =>
            {
                Node y = b.Convolution(
                    p[0], b.Constant(OpCase.Noise(3, 3, inputs, outputs)), ConvolutionDimensions.ChannelsLast(2),
                    [new WindowDim(3, 1, 1, 1), new WindowDim(3, 1, 1, 1)]);
                return b.Maximum(b.Add(y, b.BroadcastInDim(b.Constant(bias), y.Shape, [3])), b.Splat(DType.F32, y.Shape, 0));
            });
    }

    private static int TileOf(int images, int size, int inputs, int outputs, WinogradTiles largest)
    {
        var window = new WindowDim(3, 1, 1, 1);
        return WinogradForm.TileOf(
            new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, DType.F32),
            new TensorType(DType.F32, Shape.Of(images, size, size, inputs)), new TensorType(DType.F32, Shape.Of(3, 3, inputs, outputs)), largest);
    }
}
