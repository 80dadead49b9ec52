using System.Globalization;
using System.Text;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Core.Gradients;

/// <summary>docs/ops.md is what the ops say about themselves; GRAPHENE_BLESS=1 writes it.</summary>
internal sealed class CoveragePageTests
{
    private const string Introduction =
        """
        # Ops

        Every op of the IR, made from the ops themselves: `GRAPHENE_BLESS=1 ./graphene test --filter Name~CoveragePage` writes this page.
        Names and semantics are [StableHLO's](decisions/0002-one-op-set.md). An op that is *elementwise* works element by element; one with
        an *element form* can be fused with others.

        Gradients are *defined* when an op has rules for reverse and forward mode, which are built from differentiable ops, so that they
        can be differentiated again. They are *zero* where results do not depend on operands in a way that has a derivative other than 0,
        and *refused* where asking for them is [an error](errors/GR1601.md). Every defined one is held against central differences in f64.

        | op | elementwise | element form | gradient | remarks |
        | --- | --- | --- | --- | --- |

        """;

    [Test]
    public void ThePageIsWhatTheOpsSay()
    {
        string path = RepositoryRoot.Combine("docs", "ops.md");
        string expected = Page();
        if (GoldenFile.Blesses)
        {
            File.WriteAllText(path, expected);
        }
        Assert.That(File.ReadAllText(path), Is.EqualTo(expected), "GRAPHENE_BLESS=1 renews the page");
    }

    private static string Page()
    {
        var text = new StringBuilder(Introduction);
        ILookup<string, OpCase> uses = OpCases.All.ToLookup(c => c.Op);
        foreach (OpEntry entry in OpTable.All)
        {
            Op op = uses[entry.Name].First().Make().Node.Op;
            GradientRule rule = op.Gradient;
            string kind = rule.Kind.ToString().ToLowerInvariant();
            text.Append(CultureInfo.InvariantCulture, $"| `{entry.Name}` | {Mark(op.IsElementwise)} ");
            text.Append(CultureInfo.InvariantCulture, $"| {Mark(op.HasElementForm)} | {kind} | {rule.Note} |\n");
        }
        return text.ToString();
    }

    private static string Mark(bool holds) => holds ? "yes" : "";
}
