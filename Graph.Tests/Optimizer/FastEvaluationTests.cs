using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>What quantized weights go through is folded, large ones too, and has the bits of the reference evaluator.</summary>
[TestFixture]
internal sealed class FastEvaluationTests
{
    [TestCase(DType.F16, DType.F32)]
    [TestCase(DType.BF16, DType.F32)]
    [TestCase(DType.I8, DType.F32)]
    [TestCase(DType.U8, DType.F32)]
    [TestCase(DType.I32, DType.F32)]
    [TestCase(DType.I8, DType.I32)]
    [TestCase(DType.U8, DType.I32)]
    [TestCase(DType.I32, DType.I8)]
    [TestCase(DType.I32, DType.U8)]
    public void ConversionsAreTheReferences(DType from, DType to) => CheckAgainstReference(
        b => b.Convert(b.Constant(Numbers(from, 7, 11)), to));

    [Test]
    public void IntegersWrap()
    {
        CheckAgainstReference(b => b.Add(Integers(b, 5, 9), Integers(b, 5, 9)));
        CheckAgainstReference(b => b.Subtract(b.BroadcastInDim(Integers(b, 9), Shape.Of(5, 9), [1]), Integers(b, 5, 9)));
        CheckAgainstReference(b => b.Multiply(Integers(b, 5, 9), b.BroadcastInDim(Integers(b, 5), Shape.Of(5, 9), [0])));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(0, 1)]
    [TestCase(0, 2)]
    [TestCase(1, 2)]
    [TestCase(0, 1, 2)]
    public void SumsOfIntegersAreTheReferences(params int[] dimensions) => CheckAgainstReference(
        b => b.Reduce(Integers(b, 3, 4, 5), b.Constant(DType.I32, 7), Axes.From(dimensions), ElementwiseTable.Add));

    [Test]
    public void OtherReductionsAndEmptyOnesAreRightToo()
    {
        CheckAgainstReference(b => b.Reduce(Integers(b, 3, 4), b.Constant(DType.I32, 7), [1], ElementwiseTable.Maximum));
        CheckAgainstReference(b => b.Reduce(Integers(b, 3, 0), b.Constant(DType.I32, 7), [1], ElementwiseTable.Add));
    }

    [Test]
    public void WeightsOfAQuantizedLayerAreFoldedAtOnce()
    {
        // Two million weights less a zero point, times a scale for each row, and their sums: the reference would take longer than it is given.
        Shape shape = Shape.Of(512, 4096);
        Module module = CompiledModule.Build(b =>
        {
            Node weights = b.Convert(b.Constant(new Literal(new TensorType(DType.I8, shape), Bytes(512 * 4096))), DType.I32);
            Node centered = b.Subtract(weights, b.BroadcastInDim(b.Constant(Numbers(DType.I32, 512)), shape, [0]));
            Node scale = b.BroadcastInDim(b.Constant(Numbers(DType.F32, 512)), shape, [0]);
            return [b.Multiply(b.Convert(centered, DType.F32), scale), b.ReduceSum(centered, [1])];
        });
        Assert.That(GraphOptimizer.Run(module).Entry.Results.Select(r => r.Op), Is.All.TypeOf<ConstantOp>());
    }

    private static void CheckAgainstReference(Func<GraphBuilder, Node> build)
    {
        Module module = CompiledModule.Build(b => [build(b)]);
        Node result = GraphOptimizer.Run(module).Entry.Results[0];
        Assert.That(result.Op, Is.TypeOf<ConstantOp>());
        Assert.That(((ConstantOp)result.Op).Value, Is.EqualTo(Evaluator.Evaluate(module.Entry, [])[0]));
    }

    private static Node Integers(GraphBuilder b, params long[] shape) => b.Constant(Numbers(DType.I32, shape));

    // All bits there are: what does not fit a narrow type, and what f32 must round.
    private static Literal Numbers(DType type, params long[] shape)
    {
        var of = new TensorType(type, Shape.Of(shape));
        return new Literal(of, Bytes((int)of.SizeInBytes.Value));
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(5).NextBytes(bytes);
        return bytes;
    }
}
