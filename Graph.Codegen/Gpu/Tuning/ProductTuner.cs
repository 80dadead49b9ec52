using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>How products are measured.</summary>
public sealed record TuningOptions
{
    /// <summary>How many ways to compute a product are measured: those that the model of the machine expects most of.</summary>
    public int Candidates { get; init; } = 16;

    /// <summary>How many runs of each are measured, of which the median counts.</summary>
    public int Runs { get; init; } = 9;

    /// <summary>
    /// Is told of each product when it was measured: its description, the model's choice, the fastest, and the times
    /// of both in microseconds.
    /// </summary>
    public Action<TuningResult>? Measured { get; init; }
}

/// <summary>What came out for one product.</summary>
/// <param name="Product">Sizes, types and what is stored.</param>
/// <param name="Expected">The way that the model of the machine would have chosen.</param>
/// <param name="ExpectedMicroseconds">How long that took.</param>
/// <param name="Fastest">The fastest way.</param>
/// <param name="Microseconds">How long that took.</param>
public sealed record TuningResult(string Product, string Expected, double ExpectedMicroseconds, string Fastest, double Microseconds);

/// <summary>
/// Measures which tiles are the fastest for the products of a model on a GPU. Nothing else of the
/// compiler ever measures.
/// </summary>
public static class ProductTuner
{
    /// <summary>Measures every distinct product of a model on the device of a compiler.</summary>
    /// <param name="compiler">A compiler with a device, whose options say how the model is optimized.</param>
    /// <param name="module">The model. Symbolic sizes count as their largest value, at most 512.</param>
    /// <param name="options">How to measure.</param>
    /// <param name="cancellation">Stops between two measurements.</param>
    /// <exception cref="GraphException">GR6503: there is not enough memory for the operands of a product.</exception>
    public static ProductTuning Tune(
        GpuCompiler compiler, Module module, TuningOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new TuningOptions();
        GpuTarget target = compiler.Target with { Tuning = null };
        return Tune(module, target, compiler.Options, options, new DeviceProductTimer(compiler.Device, target, options.Runs), cancellation);
    }

    /// <summary>The same with any clock.</summary>
    internal static ProductTuning Tune(
        Module module, GpuTarget target, GraphCompilerOptions compilation, TuningOptions options, IProductTimer timer,
        CancellationToken cancellation)
    {
        Module optimized = GraphOptimizer.Run(module, StepLowering.OptimizerFor(KernelTarget.Of(target), compilation));
        var tuned = new Dictionary<ProductKey, TunedProduct>();
        foreach (Node node in Nodes(optimized.Entry))
        {
            if (GpuProductLowering.TryPrepare(node, _ => false) is not { } product || tuned.ContainsKey(ProductKey.Of(product, target)))
            {
                continue;
            }
            ProductKey key = ProductKey.Of(product, target);
            IReadOnlyList<ProductPlan> plans = ProductTileChoice.Candidates(product, target);
            ProductPlan expected = ProductTileChoice.Choose(product, target);
            ProductPlan[] tried = [expected, .. plans.Where(p => p != expected).Take(options.Candidates - 1)];
            double[] times = new double[tried.Length];
            for (int i = 0; i < tried.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                // A kernel's arguments are numbered while it is lowered, so each way has a product of its own.
                IReadOnlyList<LoweredKernel> kernels = GpuProductLowering.Lower(
                    "product", GpuProductLowering.TryPrepare(node, _ => false)!, tried[i], target);
                times[i] = timer.Microseconds(kernels, tried[i], SizeOf);
            }
            int best = Array.IndexOf(times, times.Min());
            tuned.Add(key, new TunedProduct(key, ProductPlanText.Of(tried[best]), times[best], tried.Length));
            options.Measured?.Invoke(new TuningResult(
                key.ToString(), ProductPlanText.Of(expected), times[0], ProductPlanText.Of(tried[best]), times[best]));
        }
        return new ProductTuning(tuned.Values);
    }

    private static long SizeOf(DimSymbol symbol) => Math.Max(symbol.Min, Math.Min(symbol.Max, ProductTileChoice.UsualSize));

    private static IEnumerable<Node> Nodes(Computation computation) => computation.PostOrder().SelectMany(
        node => node.Op is FusionOp ? [node] : node.Op.Computations.SelectMany(Nodes).Append(node));
}
