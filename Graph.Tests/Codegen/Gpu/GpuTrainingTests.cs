using Graphene.Runtime;
using Graphene.Tests.Core.Gradients;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Gradients and training steps through the schedules for a GPU, over symbolic sizes too.</summary>
internal sealed class GpuTrainingTests
{
    private static IEnumerable<string> Names => GradientModule.Names;

    [TestCaseSource(nameof(Names))]
    public void GradientsAreTheReferences(string name)
    {
        GradientModule gradients = GradientModule.Of(name);

        Literal[] actual = new GpuModule(gradients.Module).Run(gradients.Inputs);

        Literal[] expected = Evaluator.Evaluate(gradients.Module.Entry, gradients.Inputs);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreClose(actual[i], expected[i], 1e-9, 1e-11, gradients.Labels[i]);
            }
        });
    }

    [TestCase(1)]
    [TestCase(6)]
    public void ATrainingStepOverASymbolicBatch(int batch)
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
        (Tensor, Feed)[] feeds = [(images, Noise([batch, 8, 8, 2], 4)), (labels, I32([batch], [.. Enumerable.Range(0, batch).Select(i => i % 5)]))];
        var gpu = new InterpretedGpuCompiler();

        Literal[] expected = Run(new ReferenceCompiler());
        Literal[] actual = Run(gpu);

        for (int i = 0; i < all.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], 1e-4, 1e-4, all[i].Name);
        }
        TestContext.Out.WriteLine(string.Join('\n', gpu.Report));

        Literal[] Run(IGraphCompiler compiler)
        {
            using var session = new Session(g, compiler);
            return session.Run(gradients, feeds);
        }
    }
}
