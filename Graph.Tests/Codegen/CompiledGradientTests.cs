using Graphene.Runtime;
using Graphene.Tests.Core.Gradients;
using Graphene.Tests.Support;
using NUnit.Framework;

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
        var step = new ImageTrainingStep();

        Literal[] expected = step.Gradients(new ReferenceCompiler(), 6);
        Literal[] actual = step.Gradients(new CompiledModule.Uncached(), 6);

        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(actual[i], expected[i], 1e-4, 1e-4, step.Variables[i].Name);
        }
    }
}
