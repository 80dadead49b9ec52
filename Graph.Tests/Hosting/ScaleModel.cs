using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Hosting;

/// <summary>A typed model as the build generates it: multiplies its input, f32[batch,4], by a number that tells versions apart.</summary>
internal sealed class ScaleModel : ICompiledModel<ScaleModel>
{
    public const int Width = 4;

    private readonly CompiledGraph _graph;
    private readonly Callable _run;

    private ScaleModel(CompiledGraph graph)
    {
        _graph = graph;
        _run = graph.Program().MakeCallable();
    }

    public static string BundleName => "scale.graphene";

    public bool IsDisposed { get; private set; }

    public static ScaleModel Create(CompiledGraph graph) => graph.Name == "scale"
        ? new ScaleModel(graph)
        : throw new GraphException(RuntimeDiagnostics.BadFeed, $"'{graph.Name}' is another model");

    public void Run(ReadOnlySpan<float> x, Span<float> y) => _run.Run(x, y);

    /// <summary>The number.</summary>
    public float Scale()
    {
        Span<float> y = stackalloc float[Width];
        Run([1, 1, 1, 1], y);
        return y[0];
    }

    public void Dispose()
    {
        IsDisposed = true;
        _run.Dispose();
        _graph.Dispose();
    }

    /// <summary>A bundle of the model.</summary>
    /// <param name="scale">The number.</param>
    /// <param name="name">The name of the graph.</param>
    /// <param name="compiler">For what it has code; null for this processor.</param>
    public static byte[] Bundle(float scale, string name = "scale", IExecutableCompiler? compiler = null)
    {
        var graph = new Graph(name);
        Tensor x = graph.Placeholder(DType.F32, ["batch", Width], "x");
        return Compile(graph.ToModule([x * scale], [x]), compiler);
    }

    /// <summary>A bundle whose numbers are constants of several pages, which are mapped from its file.</summary>
    public static byte[] LargeBundle(float scale)
    {
        var weights = new float[Width, 64 * 1024];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i % Width, i / Width] = scale;
        }
        var graph = new Graph("large");
        Tensor x = graph.Placeholder(DType.F32, ["batch", Width], "x");
        return Compile(graph.ToModule([x.MatMul(graph.Constant(weights))], [x]));
    }

    /// <summary>A bundle that refuses zeros.</summary>
    public static byte[] PositiveBundle()
    {
        var graph = new Graph("scale");
        Tensor x = graph.Placeholder(DType.F32, ["batch", Width], "x");
        Operation positive = graph.Assert(x.ReduceMin().Greater(0), "x must be positive", [x]);
        using (graph.ControlDependencies(positive))
        {
            Tensor y = x * 3;
            return Compile(graph.ToModule([y], [x]));
        }
    }

    private static byte[] Compile(Module module, IExecutableCompiler? compiler = null)
    {
        using Executable executable = (compiler ?? GraphCompiler.Cpu()).Compile(module, NullLogger.Instance, CancellationToken.None);
        using var bytes = new MemoryStream();
        executable.Write(bytes);
        return bytes.ToArray();
    }
}
