using Graphene.Tests.Core;

namespace Graphene.GpuCheck;

/// <summary>A module with values for its inputs and what the reference evaluator makes of them.</summary>
internal sealed record NumericCase(string Name, Module Module, IReadOnlyList<Literal> Inputs, Literal[] Expected, OutputBound[] Bounds)
{
    // Carried out by the host, or by nobody.
    private static readonly string[] NotCompiled = ["custom_call", "fusion"];

    /// <summary>What makes each case, by its name: the cases of one op in one module, and whole graphs.</summary>
    public static IEnumerable<(string Name, Func<string, NumericCase> Make)> All =>
    [
        .. OpCases.All.Where(c => c.Runs && !NotCompiled.Contains(c.Op)).GroupBy(c => c.Op)
            .Select(g => ($"op-{g.Key}", (Func<string, NumericCase>)(name => OfOp(name, g)))),
        .. ModelCases.All,
    ];

    /// <summary>A graph whose outputs have one bound.</summary>
    public static NumericCase Of(string name, Module module, Literal[] inputs, double relative, double absolute)
    {
        Literal[] expected = Evaluator.Evaluate(module.Entry, inputs);
        return new NumericCase(
            name, module, inputs, expected, [.. module.OutputNames.Select(o => new OutputBound(relative, absolute, $"{name} {o}"))]);
    }

    private static NumericCase OfOp(string name, IEnumerable<OpCase> cases)
    {
        var inputs = new List<Literal>();
        var effects = new List<Node>();
        var results = new List<Node>();
        var bounds = new List<OutputBound>();
        var b = new GraphBuilder();
        foreach (OpCase c in cases)
        {
            Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(inputs.Count + i, x.Type))];
            inputs.AddRange(c.Inputs);
            Node node = c.Build(b, parameters);
            Node[] values = node.Types.IsEmpty ? [] : b.Results(node);
            results.AddRange(values);
            bounds.AddRange(values.Select(_ => new OutputBound(c.Tolerance, c.Tolerance * 1e-6, c.ToString())));
            if (node.Op.HasSideEffects)
            {
                effects.Add(node);
            }
        }
        Computation entry = b.Build("cases", results, effects);
        var module = new Module(
            name, entry, [.. inputs.Select((_, i) => $"x{i}")], [.. results.Select((_, i) => $"y{i}")], b.Provenance);
        return new NumericCase(name, module, inputs, Evaluator.Evaluate(entry, inputs), [.. bounds]);
    }
}

/// <summary>How far an output may be from the reference.</summary>
/// <param name="Relative">As a part of each element.</param>
/// <param name="Absolute">In addition.</param>
/// <param name="What">What the output is, for messages.</param>
internal sealed record OutputBound(double Relative, double Absolute, string What);
