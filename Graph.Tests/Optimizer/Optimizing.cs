using System.Collections.Immutable;
using System.Globalization;
using Graphene.Optimizer;
using Graphene.Tests.Support;

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

    /// <summary>
    /// Fails unless two graphs give the same bits (NaN is NaN) for the same random arguments, or nearly
    /// the same numbers.
    /// </summary>
    public static void AssertSameResults(Module expected, Module actual, int seed = 1, double tolerance = 0)
    {
        // A rule that only holds for real numbers is tried on finite ones.
        Literal[] arguments = [.. expected.Entry.ParameterTypes.Select((type, i) => Random(type, seed + i, special: tolerance == 0))];
        Literal[] wanted = Evaluator.Evaluate(expected.Entry, arguments);
        Literal[] found = Evaluator.Evaluate(actual.Entry, arguments);
        for (int i = 0; i < wanted.Length; i++)
        {
            LiteralAssert.AreClose(found[i], wanted[i], tolerance, tolerance, $"result {i}");
        }
    }

    /// <summary>Random elements, with special values among those of floating types.</summary>
    public static Literal Random(TensorType type, int seed, bool special = true)
    {
        var random = new Random(seed);
        double[] values = [0.0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1, -1];
        return Literal.Generate(type, _ => !type.DType.IsFloating() ? Scalar.FromInteger(type.DType, random.Next(-8, 8))
            : special && random.Next(16) == 0 ? Scalar.FromDouble(type.DType, values[random.Next(values.Length)])
            : Scalar.FromDouble(type.DType, (random.NextDouble() * 4) - 2));
    }

    private static ImmutableArray<string> Names(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => prefix + i.ToString(CultureInfo.InvariantCulture))];
}
