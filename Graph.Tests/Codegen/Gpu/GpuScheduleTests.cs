using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Which ops run on a GPU by the processor's kernel with a thread per task: few, and known.</summary>
internal sealed class GpuScheduleTests
{
    // Ops that reach lowering as nodes of their own: fusions take all others in.
    [TestCase("rng_bit_generator")]
    [TestCase("scatter")]
    [TestCase("select_and_scatter")]
    [TestCase("sort")]
    public void NodesHaveSchedulesOfTheirOwn(string op)
    {
        Kernel[] kernels =
            [
                .. new GpuModule(OpCaseModule.Of(op).Module).Kernels
                    .Where(k => k.Name.StartsWith(op, StringComparison.Ordinal)),
            ];

        Assert.That(kernels, Is.Not.Empty);
        Assert.That(kernels.Where(GpuModule.IsThreadPerTask).Select(k => k.Name), Is.Empty);
    }

    [Test]
    public void UpdatesThatNoOwnerMeetsInOrderAreAppliedOneByOne()
    {
        // Windows move along a dimension that stands before the places: element (0, 1) of the updates comes before (1, 0).
        var dimensions = new ScatterDimensions([0], [], [], [], [0], 1);
        Module module = Graphene.Tests.Support.CompiledModule.Build(b =>
        {
            var inner = new GraphBuilder();
            Computation body = inner.Build("body", [inner.Add(
                inner.Parameter(0, TensorType.Scalar(DType.F32)), inner.Parameter(1, TensorType.Scalar(DType.F32)))]);
            return [b.Scatter(
                b.Parameter(0, new TensorType(DType.F32, Shape.Of(9))), b.Parameter(1, new TensorType(DType.I32, Shape.Of(5, 1))),
                b.Parameter(2, new TensorType(DType.F32, Shape.Of(2, 5))), dimensions, body)];
        });
        Assert.That(new GpuNode(module).HasOwnSchedule, Is.False);
    }
}
