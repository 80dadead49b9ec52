using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Batches of fusions on a GPU: every member has a schedule for threads, and the processor's bits.</summary>
internal sealed class LoopsBatchTests
{
    [Test]
    public void MembersHaveSchedulesOfTheirOwn()
    {
        long[][] shapes = [[64, 10], [10], [3, 5, 7], [1], [300, 200], [17]];
        Module module = CompiledModule.Build(b => [.. shapes.Select((s, i) =>
        {
            var type = new TensorType(DType.F32, Shape.Of(s));
            Node w = b.Parameter(2 * i, type);
            return b.Subtract(w, b.Multiply(b.Parameter((2 * i) + 1, type), b.Splat(DType.F32, type.Shape, 0.1)));
        })]);
        Literal[] inputs = [.. shapes.SelectMany((s, i) => (Literal[])[Evaluation.Noise(s, i), Evaluation.Noise(s, i + 50)])];

        var onGpu = new GpuModule(module);
        Literal[] actual = onGpu.Run(inputs);

        Assert.That(GraphOptimizer.Run(module, null).Entry.PostOrder(), Has.Some.Matches<Node>(
            n => n!.Op is FusionOp { Kind: FusionKind.Batch }));
        Assert.That(onGpu.Kernels, Has.None.Matches<Kernel>(k => GpuModule.IsThreadPerTask(k!)));
        Literal[] expected = new InterpretedModule(module).Run(inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i]);
        }
    }
}
