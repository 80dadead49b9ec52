using Graphene.Runtime;

namespace Graphene.Hosting;

/// <summary>Runs each signature of a bundle once on zeros: code and weights are touched before the first request is.</summary>
internal static class ZeroRun
{
    /// <summary>Runs all signatures.</summary>
    /// <param name="graph">What to run.</param>
    /// <param name="dims">Sizes of symbolic dimensions; the others are 1, or the least that they can be.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="GraphException">A dimension is unknown or out of range, or the run failed.</exception>
    public static void Run(CompiledGraph graph, IDictionary<string, long> dims, CancellationToken cancellation)
    {
        RequireKnown(graph, dims);
        foreach (string signature in graph.Signatures)
        {
            GraphProgram program = graph.Program(signature);
            using Callable callable = program.MakeCallable();
            using BoundCall call = callable.Bind(Shapes(program, dims));
            call.Run(cancellation);
        }
    }

    /// <summary>The memory that a bundle takes; as far as it is known when the sizes do not fit.</summary>
    public static VersionMemory Predict(CompiledGraph graph, IDictionary<string, long> dims)
    {
        var memory = default(VersionMemory);
        foreach (string signature in graph.Signatures)
        {
            GraphProgram program = graph.Program(signature);
            memory = memory with { CodeBytes = memory.CodeBytes + ((program as NativeProgram)?.CodeBytes ?? 0) };
            try
            {
                MemoryUse use = program.PredictMemory(Shapes(program, dims));
                memory = memory with { ConstantBytes = Math.Max(memory.ConstantBytes, use.Constants) }; // signatures share them
            }
            catch (GraphException)
            {
                // A metric is no reason to refuse a model that was warmed up in another way, or not at all.
            }
        }
        return memory;
    }

    private static long[][] Shapes(GraphProgram program, IDictionary<string, long> dims) =>
        [.. program.Inputs.Select(i => i.Type.Shape.Select(d => d.Evaluate(s => SizeOf(s, dims))).ToArray())];

    private static long SizeOf(DimSymbol symbol, IDictionary<string, long> dims) =>
        dims.TryGetValue(symbol.Name, out long size) ? size : Math.Clamp(1, symbol.Min, symbol.Max);

    private static void RequireKnown(CompiledGraph graph, IDictionary<string, long> dims)
    {
        HashSet<string> known = [.. graph.Signatures.SelectMany(s => graph.Program(s).Symbols).Select(s => s.Name)];
        if (dims.Keys.FirstOrDefault(d => !known.Contains(d)) is { } unknown)
        {
            throw new GraphException(
                HostingDiagnostics.WarmUpFailed, $"'{graph.Name}' has no dimension '{unknown}', for which WarmUpDims has a size",
                fix: known.Count == 0
                    ? "all its dimensions are numbers: leave WarmUpDims empty"
                    : $"choose from: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        }
    }
}
