// The README's first lines are those of this file.
using Graphene;
using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Repository;

/// <summary>The program on the first screen of the README runs, word for word.</summary>
[TestFixture]
internal sealed class ReadmeExampleTests
{
    [Test]
    public void TheProgramOfTheReadmeRuns()
    {
        float[,] w1 = Weights(784, 64);
        float[,] w2 = Weights(64, 10);
        float[] b1 = new float[64];
        float[] b2 = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        float[] image = [.. Enumerable.Range(0, 784).Select(i => i / 784f)];

        // README begins
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 784], "x");
        Tensor hidden = (x.MatMul(graph.Constant(w1)) + graph.Constant(b1)).Relu();
        Tensor digit = (hidden.MatMul(graph.Constant(w2)) + graph.Constant(b2)).Softmax();

        using var session = new Session(graph, GraphCompiler.Cpu());
        Literal probabilities = session.Run(digit, (x, Feed.Of<float>(image, 1, 784)));
        // README ends

        using var reference = new Session(graph, new ReferenceCompiler());
        Literal expected = reference.Run(digit, (x, Feed.Of<float>(image, 1, 784)));
        Assert.That(probabilities.Shape, Is.EqualTo(Shape.Of(1, 10)));
        Assert.That(probabilities.As<float>().ToArray(), Is.EqualTo(expected.As<float>().ToArray()).Within(1e-5));
        Assert.That(probabilities.As<float>().ToArray().Sum(), Is.EqualTo(1).Within(1e-5));
    }

    [Test]
    public void TheReadmeShowsExactlyThatProgram()
    {
        string[] source = File.ReadAllLines(RepositoryRoot.Combine("Graph.Tests", "Repository", "ReadmeExampleTests.cs"));
        int begin = Array.FindIndex(source, l => l.Trim() == "// README begins");
        int end = Array.FindIndex(source, l => l.Trim() == "// README ends");
        string[] program = [.. source[1..4], "", .. source[(begin + 1)..end].Select(l => l.Length == 0 ? l : l[8..])];

        string readme = File.ReadAllText(RepositoryRoot.Combine("README.md")).Replace("\r", "", StringComparison.Ordinal);
        string shown = readme.Split("```csharp\n")[1].Split("\n```")[0];
        Assert.That(shown, Is.EqualTo(string.Join('\n', program)));
    }

    private static float[,] Weights(int rows, int columns)
    {
        var weights = new float[rows, columns];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i / columns, i % columns] = MathF.Sin(i) / 8;
        }
        return weights;
    }
}
