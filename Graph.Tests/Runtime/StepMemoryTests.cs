using Graphene.Runtime;
using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

using Optimizer = Graphene.Train.Optimizer; // Graphene.Optimizer is a namespace

/// <summary>The memory that is predicted for a training step is what the session allocates for it, to the byte.</summary>
[TestFixture]
internal sealed class StepMemoryTests
{
    [Test]
    public void Perceptron() => Check(new Adam(0.001), graph =>
    {
        Tensor x = graph.Placeholder(DType.F32, [32, 50], "x");
        Tensor hidden = (x.MatMul(Weight(graph, 50, 64)) + Weight(graph, 64)).Relu();
        hidden = (hidden.MatMul(Weight(graph, 64, 33)) + Weight(graph, 33)).Tanh();
        return (hidden.MatMul(Weight(graph, 33, 10)) + Weight(graph, 10)).Square().ReduceMean();
    });

    [Test]
    public void ConvolutionalNetwork() => Check(new SGD(0.01, 0.9), graph =>
    {
        Tensor x = graph.Placeholder(DType.F32, [4, 1, 28, 28], "x");
        Tensor y = x.Conv2D(Weight(graph, 3, 3, 1, 8), channelsFirst: true).Relu();
        y = y.Conv2D(Weight(graph, 3, 3, 8, 12), channelsFirst: true).Relu().ReduceMean([2, 3]);
        return y.MatMul(Weight(graph, 12, 10)).Softmax().Log().ReduceMean();
    });

    [Test]
    public void Encoder() => Check(new AdamW(0.001), graph =>
    {
        Tensor x = graph.Placeholder(DType.F32, [2, 24, 32], "x");
        for (int layer = 0; layer < 2; layer++)
        {
            Tensor q = x.MatMul(Weight(graph, 32, 32));
            Tensor k = x.MatMul(Weight(graph, 32, 32));
            Tensor v = x.MatMul(Weight(graph, 32, 32));
            Tensor attended = (q.MatMul(k.Transpose([0, 2, 1])) * 0.17).Softmax().MatMul(v);
            x += attended.MatMul(Weight(graph, 32, 32));
            x += x.MatMul(Weight(graph, 32, 96)).Tanh().MatMul(Weight(graph, 96, 32));
        }
        return x.Square().ReduceMean();
    });

    [TestCase(1)]
    [TestCase(9)]
    public void SymbolicBatch(int batch) => Check(
        new Adam(0.001),
        graph =>
        {
            Tensor x = graph.Placeholder(DType.F32, ["batch", 50], "x");
            return (x.MatMul(Weight(graph, 50, 64)) + Weight(graph, 64)).Relu().Square().ReduceMean();
        },
        [batch, 50]);

    [Test]
    public void APredictionReadsVariablesAndKeepsNoNextValues()
    {
        var graph = new Graph();
        Tensor y = graph.Placeholder(DType.F32, [3, 50], "x").MatMul(Weight(graph, 50, 64));
        using var session = new Session(graph, new CompiledModule.Uncached());
        using Callable callable = session.MakeCallable([y]);
        MemoryUse use = callable.PredictMemory();

        Assert.That(use.Variables, Is.EqualTo(50 * 64 * sizeof(float)));
        Assert.That((use.NextValues, use.Inputs, use.Outputs), Is.EqualTo((0L, 3L * 50 * sizeof(float), 3L * 64 * sizeof(float))));
    }

    private static void Check(Optimizer optimizer, Func<Graph, Tensor> loss, params long[] shape)
    {
        var graph = new Graph();
        Tensor value = loss(graph);
        Operation step = optimizer.Minimize(value);
        long before = NativeBlock.LiveBytes;
        using var session = new Session(graph, new CompiledModule.Uncached());
        using Callable callable = session.MakeCallable([value], null, [step]);
        MemoryUse predicted = shape.Length == 0 ? callable.PredictMemory() : callable.PredictMemory(shape);
        using BoundCall call = shape.Length == 0 ? callable.Bind() : callable.Bind(shape);
        for (int i = 0; i < 3; i++)
        {
            call.Run();
            Assert.That(NativeBlock.LiveBytes - before, Is.EqualTo(predicted.Total), $"{predicted}");
        }
        long weights = graph.Variables.Sum(v => v.Type.SizeInBytes.Value);
        Assert.That(predicted.Variables, Is.EqualTo(weights), "all state");
        Assert.That(predicted.NextValues, Is.LessThanOrEqualTo(weights).And.GreaterThan(0));
        Assert.That(predicted.Arena, Is.GreaterThan(0));
    }

    private static Tensor Weight(Graph graph, params long[] shape)
    {
        int count = (int)shape.Aggregate(1L, (a, b) => a * b);
        Literal value = Literal.From<float>([.. Enumerable.Range(0, count).Select(i => MathF.Sin(i) / 8)], shape);
        return graph.Variable(value, $"w{graph.Variables.Count}").Read();
    }
}
