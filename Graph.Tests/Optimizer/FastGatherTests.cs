using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Lookups in constant tables are folded, large ones too, and have the bits of the reference evaluator.</summary>
[TestFixture]
internal sealed class FastGatherTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void WholeSlicesAlongAnyDimensionAreTheReferences(int dimension)
    {
        CheckAgainstReference(b => b.Take(Numbers(b, 3, 4, 5), Places(b, 2, 3), dimension));
        CheckAgainstReference(b => b.Take(Numbers(b, 3, 4, 5), b.Constant(Literal.From<int>([1])), dimension));
    }

    [Test]
    public void AnIndexVectorOfOneEntryIsAnIndex() => CheckAgainstReference(
        b => b.Gather(Numbers(b, 4, 3), Places(b, 6, 1), new GatherDimensions([1], [0], [], [], [0], 1), [1, 3]));

    [Test]
    public void PartialSlicesAndOtherOrdersAreRightToo()
    {
        CheckAgainstReference(b => b.Gather(Numbers(b, 4, 3), Places(b, 6), new GatherDimensions([1], [0], [], [], [0], 1), [1, 2]));
        CheckAgainstReference(b => b.Gather(Numbers(b, 4, 3), Places(b, 6), new GatherDimensions([0], [0], [], [], [0], 1), [1, 3]));
        CheckAgainstReference(b => b.Gather(Numbers(b, 4, 3), Places(b, 6), new GatherDimensions([1, 2], [], [], [], [0], 1), [1, 3]));
    }

    [Test]
    public void AnEmbeddingOfAMillionElementsIsFoldedAtOnce()
    {
        Module module = CompiledModule.Build(b =>
        {
            Literal table = Literal.From<float>([.. Enumerable.Range(0, 512 * 2048).Select(i => (float)i)], 512, 2048);
            Node rows = b.Constant(Literal.From<long>([.. Enumerable.Range(0, 511).Select(i => 510L - i)], 511));
            return [b.Take(b.Constant(table), rows, 0)];
        });
        Node result = GraphOptimizer.Run(module).Entry.Results[0]; // the reference would take longer than it is given
        Assert.That(result.Op, Is.TypeOf<ConstantOp>());
        Assert.That(((ConstantOp)result.Op).Value.As<float>()[2048], Is.EqualTo(509 * 2048));
    }

    private static void CheckAgainstReference(Func<GraphBuilder, Node> gather)
    {
        Module module = CompiledModule.Build(b => [gather(b)]);
        Node result = GraphOptimizer.Run(module).Entry.Results[0];
        Assert.That(result.Op, Is.TypeOf<ConstantOp>());
        Assert.That(((ConstantOp)result.Op).Value, Is.EqualTo(Evaluator.Evaluate(module.Entry, [])[0]));
    }

    private static Node Numbers(GraphBuilder b, params long[] shape) => b.Constant(Literal.From<float>(
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (n, d) => n * d)).Select(i => i * 0.5f)], shape));

    // Two of them are outside, and moved inside.
    private static Node Places(GraphBuilder b, params long[] shape) => b.Constant(Literal.From<long>([2, 0, -7, 99, 1, 2], shape));
}
