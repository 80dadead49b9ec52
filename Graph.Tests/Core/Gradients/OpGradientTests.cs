using NUnit.Framework;

namespace Graphene.Tests.Core.Gradients;

/// <summary>What must hold for the gradient of every op in the table, over all cases.</summary>
internal sealed class OpGradientTests
{
    private static readonly ILookup<string, OpCase> Uses = OpCases.All.ToLookup(c => c.Op);

    private static IEnumerable<GradientCase> Cases => GradientCases.All;

    private static IEnumerable<string> Names => OpTable.All.Select(entry => entry.Name);

    [TestCaseSource(nameof(Cases))]
    public void GradientsAreDifferences(GradientCase c) => GradientCheck.AgainstDifferences(c);

    [TestCaseSource(nameof(Cases))]
    public void ForwardModeIsTheTransposeOfReverseMode(GradientCase c) => GradientCheck.ForwardAgainstReverse(c);

    [TestCaseSource(nameof(Names))]
    public void EveryOpHasAGradientEntry(string name)
    {
        foreach (OpCase use in Uses[name])
        {
            GradientRule rule = use.Make().Node.Op.Gradient;
            Assert.That(rule.Kind, Is.Not.EqualTo(GradientKind.Missing), $"{use}: say what gradients do");
            Assert.That(
                rule.Kind == GradientKind.Defined || rule.Note is { Length: > 10 }, $"{use}: say why there is no gradient");
            Assert.That(
                rule.Kind != GradientKind.Defined || GradientCases.All.Any(c => c.Op == name),
                $"{use}: a gradient that no case checks");
        }
    }

    [Test]
    public void EveryCaseUsesItsOp()
    {
        foreach (GradientCase c in Cases)
        {
            var b = new GraphBuilder();
            Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(i, x.Type))];
            IEnumerable<Node> nodes = Traversal.PostOrder(c.Build(b, parameters));
            Assert.That(nodes.Any(n => n.Op.Name == c.Op), c.ToString());
        }
    }
}
