using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Which nodes end up in one kernel.</summary>
[TestFixture]
public sealed class FusionTests
{
    [Test]
    public void SoftmaxIsOneReduction() => Assert.That(
        Kernels(b => [Softmax(b, b.Parameter(0, F32(64, 128)))]),
        Is.EqualTo(new[] { "reduction: reduce broadcast_in_dim subtract exponential reduce broadcast_in_dim divide" }));

    [Test]
    public void LayerNormIsOneReduction() => Assert.That(
        Kernels(b =>
        {
            Node x = b.Parameter(0, F32(64, 128));
            Node Rows(Node rows) => b.BroadcastInDim(rows, x.Shape, [0]);
            Node count = b.Splat(DType.F32, Shape.Of(64), 128);
            Node mean = b.Divide(b.ReduceSum(x, [1]), count);
            Node centered = b.Subtract(x, Rows(mean));
            Node variance = b.Divide(b.ReduceSum(b.Multiply(centered, centered), [1]), count);
            Node scale = b.Elementwise(
                ElementwiseTable.ReciprocalSquareRoot, b.Add(variance, b.Splat(DType.F32, Shape.Of(64), 1e-5)));
            Node gamma = b.BroadcastInDim(b.Parameter(1, F32(128)), x.Shape, [1]);
            Node beta = b.BroadcastInDim(b.Parameter(2, F32(128)), x.Shape, [1]);
            return [b.Add(b.Multiply(b.Multiply(centered, Rows(scale)), gamma), beta)];
        }),
        Has.Count.EqualTo(1).And.All.StartsWith("reduction:"));

    [Test]
    public void DotTakesBiasActivationAndResidual() => Assert.That(
        Kernels(b =>
        {
            Node dot = b.Dot(b.Parameter(0, F32(8, 16)), b.Parameter(1, F32(16, 32)));
            Node biased = b.Add(dot, b.BroadcastInDim(b.Parameter(2, F32(32)), dot.Shape, [1]));
            Node active = b.Multiply(biased, b.Elementwise(ElementwiseTable.Logistic, biased));
            return [b.Add(active, b.Parameter(3, F32(8, 32)))];
        }),
        Is.EqualTo(new[] { "dot: dot_general broadcast_in_dim add logistic multiply add" }));

    [Test]
    public void ResidualThatIsAnOperandOfTheDotStaysOutside() => Assert.That(
        Kernels(b =>
        {
            Node x = b.Exponential(b.Parameter(0, F32(8, 8)));
            return [b.Add(b.Dot(x, b.Parameter(1, F32(8, 8))), x)];
        }),
        Is.EqualTo(new[] { "loop: exponential", "dot: dot_general add" }));

    [Test]
    public void ResidualThatDependsOnTheDotDoesNotJoin() => Assert.That(
        Kernels(b =>
        {
            Node first = b.Dot(b.Parameter(0, F32(8, 8)), b.Parameter(1, F32(8, 8)));
            Node second = b.Dot(first, b.Parameter(2, F32(8, 8)));
            return [b.Add(first, second)];
        }),
        Is.EqualTo(new[] { "dot: dot_general", "dot: dot_general add" }));

    [Test]
    public void ValueThatIsAResultAndUsedAgainIsStoredByItsUser() => Assert.That(
        Kernels(b =>
        {
            Node sum = b.Add(b.Parameter(0, F32(8)), b.Parameter(1, F32(8)));
            return [sum, b.Negate(sum)];
        }),
        Is.EqualTo(new[] { "loop: add negate" }));

    [Test]
    public void ExpensiveValueOfTwoKernelsIsStoredOnce() => Assert.That(
        Kernels(b =>
        {
            Node x = b.Exponential(b.Parameter(0, F32(8, 16)));
            Node w = b.Parameter(1, F32(16, 4));
            return [b.Dot(b.Negate(x), w), b.ReduceSum(b.Multiply(x, x), [0])];
        }),
        Is.EqualTo(new[] { "loop: exponential negate", "dot: dot_general", "reduction: multiply reduce" }));

    [Test]
    public void SumAndMaximumOfOneTensorAreReadOnce() => Assert.That(
        Kernels(b =>
        {
            Node x = b.Parameter(0, F32(64, 128));
            return [b.ReduceSum(x, [1]), b.ReduceMax(x, [1])];
        }),
        Is.EqualTo(new[] { "reduction: reduce reduce" }));

    [Test]
    public void ConsumerOfOneLongRowIsAKernelOfItsOwn() => Assert.That(
        Kernels(b =>
        {
            Node x = b.Parameter(0, F32(1_000_000));
            return [b.Divide(x, b.BroadcastInDim(b.ReduceSum(x, [0]), x.Shape, []))];
        }),
        Is.EqualTo(new[] { "reduction: reduce", "loop: broadcast_in_dim divide" }));

    [Test]
    public void ReshapeBetweenKernelsIsNoKernel() => Assert.That(
        Kernels(b =>
        {
            Node dot = b.Dot(b.Parameter(0, F32(8, 8)), b.Parameter(1, F32(8, 8)));
            return [b.ReduceSum(b.Reshape(dot, Shape.Of(2, 32)), [1])];
        }),
        Is.EqualTo(new[] { "dot: dot_general", "reduction: reduce" }));

    [Test]
    public void NothingIsLeftOutsideOfKernels()
    {
        Module module = Optimizing.ModuleOf(b => [Softmax(b, b.Exponential(b.Parameter(0, F32(3, 5))))]);
        Module fused = Optimizing.Run(new Fusion(), module);
        Assert.That(
            fused.Entry.PostOrder().Select(n => n.Op), Has.All.InstanceOf<FusionOp>().Or.InstanceOf<ParameterOp>());
        Assert.That(Optimizing.Run(new Fusion(), fused), Is.SameAs(fused), "a second run must find nothing to do");
        Optimizing.AssertSameResults(module, fused);
    }

    [Test]
    public void EveryRewriteLimitGivesAWorkingGraph()
    {
        Module module = Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, F32(4, 6));
            return [Softmax(b, b.Add(b.Dot(x, b.Parameter(1, F32(6, 6))), x)), b.ReduceSum(x, [1])];
        });
        for (int limit = 0; limit < 20; limit++)
        {
            var options = new OptimizerOptions { Debug = DebugOptions.None with { StopAfter = limit } };
            Optimizing.AssertSameResults(module, Optimizing.Run(new Fusion(), module, options));
        }
    }

    private static Node Softmax(GraphBuilder b, Node x)
    {
        Node Rows(Node rows) => b.BroadcastInDim(rows, x.Shape, [0]);
        Node e = b.Exponential(b.Subtract(x, Rows(b.ReduceMax(x, [1]))));
        return b.Divide(e, Rows(b.ReduceSum(e, [1])));
    }

    private static TensorType F32(params ReadOnlySpan<long> dims) => new(DType.F32, Shape.Of(dims));

    // One line per kernel: its kind and the ops inside, without constants and tuple accesses.
    internal static List<string> Kernels(Func<GraphBuilder, IReadOnlyList<Node>> build, OptimizerOptions? options = null)
    {
        Module module = Optimizing.ModuleOf(build);
        Module fused = Optimizing.Run(new Fusion(), module, options);
        return [.. fused.Entry.PostOrder().Select(n => n.Op).OfType<FusionOp>().Select(f =>
            $"{f.Kind.ToString().ToLowerInvariant()}: " + string.Join(' ', f.Body.PostOrder()
                .Where(n => n.Op is not (ParameterOp or ConstantOp or GetTupleElementOp) && !IsSplat(n)).Select(n => n.Op.Name)))];
    }

    private static bool IsSplat(Node node) => node is { Op: BroadcastInDimOp, Operands: [{ Op: ConstantOp }] };
}
