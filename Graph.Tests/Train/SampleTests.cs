using Graphene.Codegen;
using Graphene.Samples;
using Graphene.Samples.Mnist;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Training;

/// <summary>The samples learn what they are to learn.</summary>
internal sealed class SampleTests
{
    [Test]
    public void ExclusiveOr()
    {
        Xor.Answer answer = Xor.Run(GraphCompiler.Cpu());

        Assert.That(answer.Probabilities.Select(p => p > 0.5), Is.EqualTo(new[] { false, true, true, false }));
        Assert.That(answer.Loss, Is.LessThan(0.05));
    }

    [Test]
    public void Line()
    {
        (double slope, double offset) = LinearRegression.Run(GraphCompiler.Cpu());

        Assert.That(slope, Is.EqualTo(LinearRegression.Slope).Within(0.02));
        Assert.That(offset, Is.EqualTo(LinearRegression.Offset).Within(0.02));
    }

    [Test]
    public void SequenceIsRemembered() => Assert.That(SequenceMemory.Run(GraphCompiler.Cpu()), Is.GreaterThan(0.95));

    [Test]
    public void GeneratorLearnsTheDistribution()
    {
        (double mean, double deviation) = GaussianGan.Run(GraphCompiler.Cpu());

        Assert.That(mean, Is.EqualTo(GaussianGan.Mean).Within(0.4));
        Assert.That(deviation, Is.EqualTo(GaussianGan.Deviation).Within(0.3));
    }

    [Test]
    public void OneStepAdaptsToANewSine()
    {
        (double before, double after) = SineMaml.Run(GraphCompiler.Cpu());

        Assert.That(after, Is.LessThan(0.5 * before));
    }

    [Test]
    public void DrawnDigitsAreRead()
    {
        MnistTraining.Outcome outcome =
            MnistTraining.Run(GraphCompiler.Cpu(), "mlp", MnistData.Synthetic(2000, 500, seed: 1), epochs: 6);

        Assert.That(outcome.TestAccuracy, Is.GreaterThan(0.9));
    }

    [TestCase("mlp", 0.975)]
    [TestCase("cnn", 0.987)]
    [Category("Large")]
    public void HandwrittenDigitsAreRead(string kind, double accuracy)
    {
        MnistTraining.Outcome outcome =
            MnistTraining.Run(GraphCompiler.Cpu(), kind, MnistData.Load(SharedMaterial.Require("data/mnist")));

        Assert.That(outcome.TestAccuracy, Is.GreaterThanOrEqualTo(accuracy));
    }
}
