using System.Globalization;
using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

/// <summary>Equal weights, data and optimizer give TensorFlow.js's losses, step by step.</summary>
/// <remarks><c>TensorFlowJs/losses.mjs</c> made the losses; the two read alike.</remarks>
internal sealed class TensorFlowJsTests
{
    private const double Tolerance = 1e-5; // of the loss
    private uint _state;

    [Test]
    public void ExclusiveOr()
    {
        _state = 1;
        var x = Literal.From<float>([0, 0, 0, 1, 1, 0, 1, 1], 4, 2);
        var y = Literal.From<float>([0, 1, 1, 0], 4, 1);
        var graph = new Graph();
        Tensor input = graph.Placeholder(DType.F32, [4, 2], "x");
        Tensor wanted = graph.Placeholder(DType.F32, [4, 1], "y");
        Tensor hidden = Dense(graph, input, 2, 8, scale: 2).Tanh();
        Tensor loss = new BinaryCrossentropy(fromLogits: true).Call(wanted, Dense(graph, hidden, 8, 1, scale: 2));
        Check("xor", graph, loss, new SGD(0.5), _ => [(input, x), (wanted, y)]);
    }

    [Test]
    public void TwoLayersOnImages()
    {
        _state = 2;
        var batches = new (Literal Images, Literal Labels)[4];
        for (int i = 0; i < batches.Length; i++)
        {
            Literal images = Numbers(1, 0.5f, 32, 784);
            batches[i] = (images, Literal.From<int>([.. Enumerable.Range(0, 32).Select(_ => (int)((Next() + 0.5) * 10))], 32));
        }
        var graph = new Graph();
        Tensor input = graph.Placeholder(DType.F32, [32, 784], "images");
        Tensor wanted = graph.Placeholder(DType.I32, [32], "labels");
        Tensor hidden = Dense(graph, input, 784, 32, scale: 0.125).Relu();
        Tensor loss = new SparseCategoricalCrossentropy(fromLogits: true).Call(wanted, Dense(graph, hidden, 32, 10, scale: 0.5));
        Check("mlp", graph, loss, new SGD(0.0078125, momentum: 0.9), step =>
            [(input, batches[step % 4].Images), (wanted, batches[step % 4].Labels)]);
    }

    private static void Check(
        string name, Graph graph, Tensor loss, SGD optimizer, Func<int, (Tensor, Feed)[]> feeds)
    {
        double[] wanted = [.. File.ReadLines(RepositoryRoot.Combine("Graph.Tests", "Train", "TensorFlowJs", "losses.tsv"))
            .Select(line => line.Split('\t'))
            .Where(fields => fields[0] == name)
            .Select(fields => double.Parse(fields[2], CultureInfo.InvariantCulture))];
        Assert.That(wanted, Has.Length.EqualTo(100));
        Operation step = optimizer.Minimize(loss);
        using var session = new Session(graph, GraphCompiler.Cpu());
        double worst = 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            double found = session.Run([loss], feeds(i), [step])[0].ToDoubles()[0];
            worst = Math.Max(worst, Math.Abs(found - wanted[i]) / wanted[i]);
            Assert.That(found, Is.EqualTo(wanted[i]).Within(Tolerance * wanted[i]), $"step {i}");
        }
        TestContext.Out.WriteLine(FormattableString.Invariant($"{name}: at most {worst:G3} of the loss apart in 100 steps"));
    }

    private Tensor Dense(Graph graph, Tensor x, int rows, int columns, double scale)
    {
        Variable weights = graph.Variable(Numbers(scale, 0, rows, columns), $"w{rows}");
        Variable biases = graph.Variable(Numbers(0.25, 0, columns), $"b{rows}");
        return x.MatMul(weights.Read()) + biases.Read();
    }

    private Literal Numbers(double scale, float offset, params int[] shape) => Literal.From<float>(
        [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)(Next() * scale) + offset)],
        Array.ConvertAll(shape, d => (long)d));

    private double Next()
    {
        _state = unchecked((_state * 1664525) + 1013904223);
        return ((_state >> 9) / (double)(1 << 23)) - 0.5;
    }
}
