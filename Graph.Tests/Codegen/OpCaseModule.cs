using Graphene.Tests.Core;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Cases of ops side by side in one module, with what the reference makes of them.</summary>
internal sealed class OpCaseModule
{
    // Carried out by the host, or by nobody.
    private static readonly string[] NotCompiled = ["custom_call", "fusion"];

    private static readonly ILookup<string, OpCase> Cases = OpCases.All.Where(c => c.Runs).ToLookup(c => c.Op);

    private readonly List<(OpCase Case, int First, int Count)> _spans = [];

    private OpCaseModule(string name, IEnumerable<OpCase> cases)
    {
        var inputs = new List<Literal>();
        var effects = new List<Node>();
        var b = new GraphBuilder();
        var results = new List<Node>();
        foreach (OpCase c in cases)
        {
            Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(inputs.Count + i, x.Type))];
            inputs.AddRange(c.Inputs);
            Node node = c.Build(b, parameters);
            Node[] values = node.Types.IsEmpty ? [] : b.Results(node);
            _spans.Add((c, results.Count, values.Length));
            results.AddRange(values);
            if (node.Op.HasSideEffects)
            {
                effects.Add(node);
            }
        }
        Computation entry = b.Build("cases", results, effects);
        Inputs = inputs;
        Expected = Evaluator.Evaluate(entry, inputs);
        Module = new Module(
            name, entry, [.. inputs.Select((_, i) => $"x{i}")], [.. results.Select((_, i) => $"y{i}")], b.Provenance);
    }

    /// <summary>The names of ops that machine code is made of.</summary>
    public static IEnumerable<string> Names => Cases.Select(group => group.Key).Except(NotCompiled);

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>A value for each parameter.</summary>
    public IReadOnlyList<Literal> Inputs { get; }

    /// <summary>The results of the reference evaluator.</summary>
    public Literal[] Expected { get; }

    /// <summary>All cases of one op.</summary>
    public static OpCaseModule Of(string op) => new(op, Cases[op]);

    /// <summary>All cases of all ops.</summary>
    public static OpCaseModule OfAll() => OfAllBut();

    /// <summary>All cases of all ops but some.</summary>
    /// <param name="names">The names of those.</param>
    public static OpCaseModule OfAllBut(params string[] names) => new("all", Names.Except(names).SelectMany(name => Cases[name]));

    /// <summary>Compares results with the reference, and with those of another run bit for bit.</summary>
    /// <param name="actual">The results.</param>
    /// <param name="sameBits">Those of another run; null for none.</param>
    /// <param name="hasFma">False where sums of products round twice, which shows in sums that cancel.</param>
    public void AssertReference(Literal[] actual, Literal[]? sameBits = null, bool hasFma = true)
    {
        const double LeastOfSums = 1e-5;
        Assert.Multiple(() =>
        {
            foreach ((OpCase c, int first, int count) in _spans)
            {
                double absolute = c.Tolerance * (hasFma || c.Tolerance < LeastOfSums ? 1e-6 : 1e-2);
                for (int r = first; r < first + count; r++)
                {
                    LiteralAssert.AreClose(actual[r], Expected[r], c.Tolerance, absolute, c.ToString());
                    if (sameBits is not null)
                    {
                        LiteralAssert.AreEqual(sameBits[r], actual[r], $"{c}, interpreted");
                    }
                }
            }
        });
    }
}
