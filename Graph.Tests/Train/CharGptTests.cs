using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Samples.CharGpt;
using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

internal sealed class CharGptTests
{
    private static readonly GptSettings Small = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 16,
        Context = 8,
        Batch = 4,
        Steps = 60,
        WarmupSteps = 5,
        LearningRate = 1e-2,
        ValidationBatches = 4,
        Generated = 20,
    };

    [Test]
    public void WritingWithKeptKeysGivesWhatReadingTheWholeTextGives()
    {
        var data = new CharacterData("hello there, general");
        var graph = new Graph();
        var gpt = new Gpt(Small, data.Characters.Length);
        Tensor x = graph.Placeholder(DType.I32, [1, Small.Context], "x");
        Tensor whole = gpt.Call(new LayerContext(graph, training: false, seed: 2), x).Softmax();
        var writer = new GptWriter(graph, gpt, Small, data);
        using var session = new Session(graph, new ReferenceCompiler());
        int[] text = [3, 1, 4, 1, 5, 2, 0, 6];
        Literal expected = session.Run(whole, (x, text));

        for (int position = 0; position < text.Length; position++)
        {
            double[] next = writer.Read(session, text[position], position);
            Assert.That(
                next, Is.EqualTo(Enumerable.Range(0, data.Characters.Length).Select(c => expected.At(0, position, c))).Within(1e-5),
                $"place {position}");
        }
    }

    [Test]
    public void ASmallModelLearnsARepeatedText()
    {
        string text = string.Concat(Enumerable.Repeat("ababcd", 200));
        GptTraining.Outcome outcome = GptTraining.Run(GraphCompiler.Cpu(), text, Small);

        // Only a piece that begins with the second pair leaves a doubt, at its first characters.
        Assert.That(outcome.ValidationLoss, Is.LessThan(0.35));
        Assert.That(outcome.Text, Has.Length.EqualTo(Small.Generated));
    }

    [Test]
    [Category("Large")]
    public void ItReachesThePublishedValidationLoss()
    {
        string text = File.ReadAllText(SharedMaterial.Require("data/tinyshakespeare.txt"));

        Assert.That(GptTraining.Run(GraphCompiler.Cpu(), text).ValidationLoss, Is.LessThanOrEqualTo(1.90));
    }
}
