using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>What must hold for every op in the table, over all cases.</summary>
internal sealed class OpTableTests
{
    private static readonly ILookup<string, OpCase> Cases = OpCases.All.ToLookup(c => c.Op);

    private static IEnumerable<string> Names => OpTable.All.Select(entry => entry.Name);

    [Test]
    public void EveryOpHasCases() => Assert.That(Names.Except(Cases.Select(group => group.Key)), Is.Empty);

    [Test]
    public void EveryOpIsListed()
    {
        IEnumerable<Type> ops = typeof(Op).Assembly.GetTypes()
            .Where(t => t.IsSubclassOf(typeof(Op)) && t.IsPublic && t != typeof(ElementwiseOp));
        IEnumerable<Type?> listed = OpTable.All.Where(entry => entry.Fn is null).Select(entry => entry.Parse.Method.ReturnType);
        Assert.That(OpTable.All.Count(entry => entry.Fn is null), Is.EqualTo(ops.Count()), string.Join(", ", ops.Select(t => t.Name)));
        Assert.That(listed, Has.All.EqualTo(typeof(Op)));
    }

    [TestCaseSource(nameof(Names))]
    public void PrintedTextReadsBackAsTheSameText(string name) => ForEachCase(name, (c, computation, _) =>
    {
        string text = Printer.Print(computation);
        Computation again = Parser.ParseComputation(text);
        Assert.That(Printer.Print(again), Is.EqualTo(text), c.ToString());
        Assert.That(again, Is.EqualTo(computation), c.ToString());
    });

    [TestCaseSource(nameof(Names))]
    public void ResultsHaveTheInferredTypes(string name) => ForEachCase(name, (c, computation, _) =>
    {
        if (c.Runs)
        {
            Literal[] results = Evaluator.Evaluate(computation, c.Inputs);
            Assert.That(results.Select(r => r.Type), Is.EqualTo(computation.ResultTypes), c.ToString());
        }
        else
        {
            Assert.Throws<GraphException>(() => Evaluator.Evaluate(computation, c.Inputs), c.ToString());
        }
    });

    [TestCaseSource(nameof(Names))]
    public void TheElementFormIsTheReference(string name) => ForEachCase(name, (c, computation, node) =>
    {
        if (!node.Op.HasElementForm)
        {
            return;
        }
        Literal[] expected = Evaluator.Evaluate(computation, c.Inputs);
        for (int result = 0; result < expected.Length; result++)
        {
            Literal actual = ElementForm.Evaluate(node, result, c.Inputs);
            LiteralAssert.AreClose(actual, expected[result], c.Tolerance, c.Tolerance * 1e-6, c.ToString());
        }
    });

    [TestCaseSource(nameof(Names))]
    public void AnAttributeTooManyIsRefused(string name)
    {
        string text = Printer.Print(Cases[name].First().Make().Computation);
        int end = text.IndexOf('\n', text.LastIndexOf($" {name}(", StringComparison.Ordinal));
        GraphException? error = Assert.Throws<GraphException>(
            () => Parser.ParseComputation(text.Insert(end, ", no_such_attribute=1")));
        Assert.That(error?.Id, Is.EqualTo(DiagnosticId.TextBadAttribute));
    }

    private static void ForEachCase(string name, Action<OpCase, Computation, Node> check)
    {
        foreach (OpCase c in Cases[name])
        {
            (Computation computation, Node node) = c.Make();
            check(c, computation, node);
        }
    }
}
