using Graphene.Runtime;
using Graphene.Tests.Core.Gradients;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Gradients through the whole compiler: machine code gives what the reference gives.</summary>
internal sealed class CompiledGradientTests
{
    private static IEnumerable<string> Names => GradientModule.Names;

    [TestCaseSource(nameof(Names))]
    public void MachineCodeGivesTheReference(string name)
    {
        GradientModule gradients = GradientModule.Of(name);

        Literal[] actual = CompiledModule.Run(gradients.Module, gradients.Inputs);

        Literal[] expected = Evaluator.Evaluate(gradients.Module.Entry, gradients.Inputs);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreClose(actual[i], expected[i], 1e-9, 1e-11, gradients.Labels[i]);
            }
        });
    }

    [Test]
    public void ATrainingStepOverASymbolicBatch()
    {
        var g = new Graph();
        Tensor images = g.Placeholder(DType.F32, ["batch", 8, 8, 2], "images");
        Tensor labels = g.Placeholder(DType.I32, ["batch"], "labels");
        Variable kernel = g.Variable(Noise([3, 3, 2, 4], 1), "kernel");
        Variable scale = g.Variable(Noise([4], 2), "scale");
        Variable weights = g.Variable(Noise([64, 5], 3), "weights");
        Variable[] all = [kernel, scale, weights];
        Tensor x = images.Conv2D(kernel.Read(), padding: PaddingMode.SameUpper);
        Tensor mean = x.ReduceMean([0, 1, 2], keepDims: true);
        Tensor variance = (x - mean).Square().ReduceMean([0, 1, 2], keepDims: true);
        x = ((x - mean) * (variance + 1e-3).Rsqrt() * scale.Read()).Relu();
        x = x.MaxPool2D(2, 2);
        Tensor logits = x.Reshape([-1, 64]).MatMul(weights.Read());
        Tensor loss = -(logits.LogSoftmax() * labels.OneHot(5)).ReduceSum() / 6;
        Tensor[] gradients = g.Gradients(loss, all);

        (Tensor, Feed)[] feeds = [(images, Noise([6, 8, 8, 2], 4)), (labels, I32([6], 0, 1, 2, 3, 4, 0))];
        Literal[] expected = Run(new ReferenceCompiler());
        Literal[] actual = Run(new CompiledModule.Uncached());

        for (int i = 0; i < all.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], 1e-4, 1e-4, all[i].Name);
        }

        Literal[] Run(IGraphCompiler compiler)
        {
            using var session = new Session(g, compiler);
            return session.Run(gradients, feeds);
        }
    }
}
