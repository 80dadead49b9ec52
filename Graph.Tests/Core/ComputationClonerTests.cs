using NUnit.Framework;

namespace Graphene.Tests.Core;

internal sealed class ComputationClonerTests
{
    private static readonly TensorType Vector = new(DType.F32, Shape.Of(3));

    [Test]
    public void ARebuiltComputationIsEqualAndItsOwn()
    {
        foreach (OpCase c in OpCases.All)
        {
            Computation original = c.Make().Computation;
            Computation copy = ComputationCloner.Rebuild(original, node => node.Op);
            Assert.That(copy, Is.EqualTo(original), c.ToString());
            Assert.That(Verifier.Check(copy), Is.Empty, c.ToString());
            Assert.That(copy.PostOrder().Intersect(original.PostOrder(), ReferenceEqualityComparer.Instance), Is.Empty);
        }
    }

    [Test]
    public void InliningPutsArgumentsInThePlaceOfParameters()
    {
        var inner = new GraphBuilder();
        Node p = inner.Parameter(0, Vector);
        Node q = inner.Parameter(1, Vector);
        Node call = inner.HostCall(HostCallKind.Print, "sum", 0, p);
        Computation function = inner.Build("function", [inner.Add(p, q), q], [call]);

        var b = new GraphBuilder();
        Node x = b.Parameter(0, Vector);
        Node y = b.Exponential(x);
        (var results, var effects) = ComputationCloner.Inline(function, b, [y, x]);
        Assert.That(results[0], Is.SameAs(b.Add(y, x)));
        Assert.That(results[1], Is.SameAs(x));
        Assert.That(effects.Single().Operands, Is.EqualTo(new[] { y }));
    }

    [Test]
    public void CopiesInheritProvenance()
    {
        var source = new GraphBuilder { CurrentOrigin = new Provenance("softmax_3", "model.onnx") };
        Node node = source.Negate(source.Parameter(0, Vector));
        var target = new GraphBuilder();
        Node copy = ComputationCloner.Clone(node, target, new Dictionary<Node, Node>(), source.Provenance);
        Assert.That(target.Provenance[copy].Single().Name, Is.EqualTo("softmax_3"));
    }

    [Test]
    public void ADeepChainIsNoProblem()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, Vector);
        for (int i = 0; i < 20_000; i++)
        {
            x = b.Add(b.Negate(x), b.Parameter(0, Vector));
        }
        var target = new GraphBuilder();
        Node copy = ComputationCloner.Clone(x, target, new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance));
        Assert.That(target.NodeCount, Is.EqualTo(40_001));
        Assert.That(copy.Op, Is.EqualTo(x.Op));
        Assert.That(Verifier.Check(target.Build("deep", [copy])), Is.Empty);
    }
}
