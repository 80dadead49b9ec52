using System.Collections.Immutable;
using System.Globalization;
using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Runs passes on small graphs and compares results on the reference evaluator.</summary>
internal static class Optimizing
{
    public static Module ModuleOf(Func<GraphBuilder, IReadOnlyList<Node>> build)
    {
        var b = new GraphBuilder();
        IReadOnlyList<Node> results = build(b);
        Computation entry = b.Build("main", results);
        return new Module("test", entry, Names("in", entry.Parameters.Length), Names("out", results.Count), b.Provenance);
    }

    public static Module Run(IGraphPass pass, Module module, OptimizerOptions? options = null) => PassPipeline.Of(pass).Run(
        module, new PassContext((options ?? OptimizerOptions.Default) with { Verify = true }));

    /// <summary>Fails unless two graphs give the same bits for the same random arguments.</summary>
    public static void AssertSameResults(Module expected, Module actual, int seed = 1)
    {
        Literal[] arguments = [.. expected.Entry.ParameterTypes.Select((type, i) => Random(type, seed + i))];
        Literal[] wanted = Evaluator.Evaluate(expected.Entry, arguments);
        Literal[] found = Evaluator.Evaluate(actual.Entry, arguments);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.That(found[i], Is.EqualTo(wanted[i]), $"result {i}");
        }
    }

    public static Literal Random(TensorType type, int seed)
    {
        var random = new Random(seed);
        return Literal.Generate(type, _ => type.DType.IsFloating()
            ? Scalar.FromDouble(type.DType, (random.NextDouble() * 4) - 2)
            : Scalar.FromInteger(type.DType, random.Next(-8, 8)));
    }

    private static ImmutableArray<string> Names(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => prefix + i.ToString(CultureInfo.InvariantCulture))];
}
