using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>Graphs written in C#, run as a user runs them.</summary>
internal sealed class GraphSessionTests
{
    [Test]
    public void TheProgramOfTheReadmeRuns()
    {
        float[,] weights = { { 1, -1 }, { 0.5f, 2 }, { -3, 0.25f } };
        float[] bias = [0.1f, -0.2f];

        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor y = (x.MatMul(graph.Constant(weights)) + graph.Constant(bias)).Relu().Softmax();

        using var session = new GraphSession(graph, GraphCompiler.Cpu());
        Literal result = session.Run(y, (x, Feed.Of<float>(new float[] { 1, 2, 3, -1, 0, 1 }, 2, 3)));

        Assert.That(result.Shape, Is.EqualTo(Shape.Of(2, 2)));
        for (int row = 0; row < 2; row++)
        {
            double sum = result[row * 2].AsDouble + result[(row * 2) + 1].AsDouble;
            Assert.That(sum, Is.EqualTo(1).Within(1e-6));
        }
    }

    [Test]
    public void VariablesKeepTheirValuesBetweenRuns()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([10], 1), "counter");
        Operation increment = counter.Assign(counter.Read() + 1);
        Tensor read = counter.Read();
        using var session = new GraphSession(graph, new CompiledModule.Uncached());
        for (int i = 1; i <= 3; i++)
        {
            session.Run([], [], [increment]);
            Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(10 + i));
        }
        Assert.That(session.Run(read)[0].AsDouble, Is.GreaterThanOrEqualTo(13));
    }

    [Test]
    public void AnInteriorTensorCanBeFed()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(2), "x");
        Tensor inner = x * 3;
        Tensor y = inner + 1;
        using var session = new GraphSession(graph, new CompiledModule.Uncached());
        Assert.That(session.Run(y, (inner, new float[] { 5, 6 })).As<float>().ToArray(), Is.EqualTo(new float[] { 6, 7 }));
    }
}
