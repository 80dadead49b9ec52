using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Core;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Every case of every op through the whole compiler: machine code gives what the reference gives, and the interpreter the bits
/// that machine code gives.
/// </summary>
internal sealed class CompiledOpTests
{
    private static readonly ILookup<string, OpCase> Cases = OpCases.All.Where(c => c.Runs).ToLookup(c => c.Op);

    // Carried out by the host, or by nobody.
    private static readonly string[] NotCompiled = ["custom_call", "fusion"];

    private static IEnumerable<string> Names => Cases.Select(group => group.Key).Except(NotCompiled);

    [TestCaseSource(nameof(Names))]
    public void MachineCodeGivesTheReference(string name)
    {
        OpCase[] cases = [.. Cases[name]];
        var inputs = new List<Literal>();
        var effects = new List<Node>();
        var spans = new List<(int First, int Count)>();
        var b = new GraphBuilder();
        var results = new List<Node>();
        foreach (OpCase c in cases)
        {
            Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(inputs.Count + i, x.Type))];
            inputs.AddRange(c.Inputs);
            Node node = c.Build(b, parameters);
            Node[] values = node.Types.IsEmpty ? [] : b.Results(node);
            spans.Add((results.Count, values.Length));
            results.AddRange(values);
            if (node.Op.HasSideEffects)
            {
                effects.Add(node);
            }
        }
        Computation entry = b.Build("cases", results, effects);
        Literal[] expected = Evaluator.Evaluate(entry, inputs);
        var module = new Module(
            name, entry, [.. inputs.Select((_, i) => $"x{i}")], [.. results.Select((_, i) => $"y{i}")], b.Provenance);
        Literal[] actual = CompiledModule.Run(module, inputs);
        Literal[] interpreted = new InterpretedModule(module).Run(inputs);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < cases.Length; i++)
            {
                for (int r = spans[i].First; r < spans[i].First + spans[i].Count; r++)
                {
                    double tolerance = cases[i].Tolerance;
                    LiteralAssert.AreClose(actual[r], expected[r], tolerance, tolerance * 1e-6, cases[i].ToString());
                    LiteralAssert.AreEqual(interpreted[r], actual[r], $"{cases[i]}, interpreted");
                }
            }
        });
    }
}
