using Graphene.Runtime;
using Graphene.Tests.Core.Gradients;
using Graphene.Tests.Support;
using NUnit.Framework;

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
        var step = new ImageTrainingStep();
        var gpu = new InterpretedGpuCompiler();

        Literal[] expected = step.Gradients(new ReferenceCompiler(), batch);
        Literal[] actual = step.Gradients(gpu, batch);

        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], 1e-4, 1e-4, step.Variables[i].Name);
        }
        TestContext.Out.WriteLine(string.Join('\n', gpu.Report));
    }
}
