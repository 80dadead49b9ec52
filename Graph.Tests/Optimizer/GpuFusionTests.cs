using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>What a GPU computes in one kernel and a processor in several; each case says what becomes of it on both.</summary>
internal sealed class GpuFusionTests
{
    [Test]
    public void AFewLongRowsAreOneKernel() => Compare(
        b =>
        {
            Node x = b.Parameter(0, F32(4, 50257));
            Node Rows(Node rows) => b.BroadcastInDim(rows, x.Shape, [0]);
            Node e = b.Exponential(b.Subtract(x, Rows(b.ReduceMax(x, [1]))));
            return [b.Divide(e, Rows(b.ReduceSum(e, [1])))];
        },
        ["reduction: reduce broadcast_in_dim subtract exponential reduce broadcast_in_dim divide"],
        processors: 3);

    [Test]
    public void ALongRowIsOneKernel() => Compare(
        b =>
        {
            Node x = b.Parameter(0, F32(4_000_000));
            return [b.Divide(x, b.BroadcastInDim(b.ReduceSum(x, [0]), x.Shape, []))];
        },
        ["reduction: reduce broadcast_in_dim divide"],
        processors: 2);

    [Test]
    public void RowsThatDoNotLieTogetherStayApart() => Compare(
        b =>
        {
            Node x = b.Parameter(0, F32(16, 64, 100));
            return [b.Divide(x, b.BroadcastInDim(b.ReduceSum(x, [1]), x.Shape, [0, 2]))];
        },
        ["reduction: reduce", "loop: broadcast_in_dim divide"],
        processors: 2);

    [Test]
    public void ATransposeIsPartOfTheFusionThatUsesIt() => Compare(
        b =>
        [
            b.Maximum(
                b.Add(b.Transpose(b.Exponential(b.Parameter(0, F32(128, 96))), [1, 0]), b.Parameter(1, F32(96, 128))),
                b.Splat(DType.F32, Shape.Of(96, 128), 0)),
        ],
        ["loop: exponential transpose add maximum"],
        processors: 2);

    [Test]
    public void TransposesInTwoDirectionsAreTwoKernels() => Compare(
        b => [b.Add(b.Transpose(b.Parameter(0, F32(40, 50, 60)), [0, 2, 1]), b.Transpose(b.Parameter(1, F32(50, 60, 40)), [2, 1, 0]))],
        ["loop: transpose", "loop: transpose add"],
        processors: 3);

    [Test]
    public void AReductionTakesNoTranspose() => Compare(
        b => [b.ReduceSum(b.Transpose(b.Parameter(0, F32(96, 128)), [1, 0]), [1])],
        ["loop: transpose", "reduction: reduce"],
        processors: 2);

    [Test]
    public void ATransposeTakesNoReduction() => Compare(
        b =>
        {
            Node x = b.Parameter(0, F32(96, 128));
            Node sums = b.BroadcastInDim(b.ReduceSum(b.Parameter(1, F32(128, 96)), [1]), Shape.Of(128, 96), [0]);
            return [b.Multiply(sums, b.Transpose(x, [1, 0]))];
        },
        ["reduction: reduce", "loop: broadcast_in_dim transpose multiply"],
        processors: 2);

    [Test]
    public void AConcatenationIsPartOfTheFusionThatUsesIt() => Compare(
        b => [Tanh(b, b.Concatenate([b.Negate(b.Parameter(0, F32(8, 100))), b.Parameter(1, F32(8, 28))], 1))],
        ["loop: negate concatenate tanh"],
        processors: 1);

    [Test]
    public void AConcatenationOfManyPiecesIsAKernelOfItsOwn() => Compare(
        b => [Tanh(b, b.Concatenate([.. Enumerable.Range(0, 9).Select(i => b.Parameter(i, F32(8, 16)))], 1))],
        ["loop: concatenate", "loop: tanh"],
        processors: 1);

    [Test]
    public void AFunctionOfTwoKernelsIsComputedByBoth() => Compare(
        b =>
        {
            Node e = b.Exponential(b.Parameter(0, F32(64, 128)));
            return [b.ReduceSum(e, [0]), b.ReduceSum(e, [1])];
        },
        ["reduction: exponential reduce", "reduction: exponential reduce"],
        processors: 2);

    [Test]
    public void AFunctionOfABiasIsComputedForEachElement() => Compare(
        b =>
        {
            Node x = b.Parameter(0, F32(256, 128));
            return [b.Add(x, b.BroadcastInDim(b.Exponential(b.Parameter(1, F32(128))), x.Shape, [1]))];
        },
        ["loop: exponential broadcast_in_dim add"],
        processors: 2);

    [Test]
    public void ThirdFunctionOfABiasIsStored()
    {
        // Two of them take as long as the element that is read and written; more would be what the kernel waits for.
        List<string> kernels = Kernels(
            b =>
            {
                Node x = b.Parameter(0, F32(256, 128));
                Node bias = b.Parameter(1, F32(128));
                return [b.Add(x, b.BroadcastInDim(Tanh(b, b.Exponential(Tanh(b, b.Exponential(bias)))), x.Shape, [1]))];
            },
            MachineTraits.Gpu);
        Assert.That(kernels, Is.EqualTo(new[] { "loop: exponential tanh", "loop: exponential tanh broadcast_in_dim add" }));
    }

    [Test]
    public void EveryRewriteLimitGivesAWorkingGraph()
    {
        Module module = Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, F32(40, 30));
            Node y = b.Concatenate([b.Transpose(b.Exponential(x), [1, 0]), b.Parameter(1, F32(30, 7))], 1);
            return [b.Add(y, b.BroadcastInDim(b.ReduceSum(y, [1]), y.Shape, [0])), b.Transpose(y, [1, 0])];
        });
        for (int limit = 0; limit < 20; limit++)
        {
            var options = new OptimizerOptions { Machine = MachineTraits.Gpu, Debug = DebugOptions.None with { StopAfter = limit } };
            Optimizing.AssertSameResults(module, Optimizing.Run(new Fusion(), module, options));
        }
    }

    private static Node Tanh(GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.HyperbolicTangent, x);

    private static TensorType F32(params ReadOnlySpan<long> dims) => new(DType.F32, Shape.Of(dims));

    private static void Compare(Func<GraphBuilder, IReadOnlyList<Node>> build, string[] gpu, int processors)
    {
        Assert.That(Kernels(build, MachineTraits.Gpu), Is.EqualTo(gpu));
        Assert.That(Kernels(build, MachineTraits.Processor), Has.Count.EqualTo(processors));
    }

    private static List<string> Kernels(Func<GraphBuilder, IReadOnlyList<Node>> build, MachineTraits machine) =>
        FusionTests.Kernels(build, OptimizerOptions.Default with { Machine = machine });
}
