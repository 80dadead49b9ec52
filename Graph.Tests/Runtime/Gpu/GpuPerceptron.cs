using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>The small model of the tests of sessions.</summary>
internal static class GpuPerceptron
{
    /// <summary>Numbers for weights.</summary>
    public static readonly float[] Weights = [.. Enumerable.Range(0, 20).Select(i => MathF.Sin(i))];

    /// <summary>Two layers over a symbolic batch.</summary>
    public static (Graph Graph, Tensor X, Tensor Y) Create()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 4], "x");
        Tensor hidden = (x.MatMul(graph.Constant(Literal.From<float>(Weights, 4, 5))) + graph.Constant(Weights[..5])).Relu();
        Tensor y = hidden.MatMul(graph.Constant(Literal.From<float>(Weights.AsSpan(0, 15), 5, 3))).Softmax();
        return (graph, x, y.Named("y"));
    }

    /// <summary>The reference's answer.</summary>
    public static float[] Expected(Graph graph, Tensor x, Tensor y, float[] input, int batch)
    {
        using var reference = new Session(graph, new ReferenceCompiler());
        return reference.Run(y, (x, Feed.Of<float>(input, batch, 4))).As<float>().ToArray();
    }

    /// <summary>Numbers to feed.</summary>
    public static float[] Ramp(int count) => [.. Enumerable.Range(0, count).Select(i => (i - 3) * 0.25f)];
}
