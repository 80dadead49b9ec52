using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Small bundles with everything that a bundle can have.</summary>
internal static class BundleFixture
{
    /// <summary>How many values the state of <see cref="Chat()"/> keeps.</summary>
    public const int Length = 8;

    private static readonly Lazy<byte[]> ChatBytes = new(() => Bytes(Chat()));

    /// <summary>The bytes of <see cref="Chat()"/>, compiled once.</summary>
    public static byte[] ChatBundle => ChatBytes.Value;

    /// <summary>
    /// A model of two functions that share weights and a state: <c>prefill(x)</c> sets the cache to x * w and returns its sum,
    /// <c>decode(x)</c> adds x to the cache, counts the calls, and returns cache * w.
    /// </summary>
    public static BundleContent Chat() => Chat([("host", Compile)]);

    /// <summary>The same as code for several machines.</summary>
    /// <param name="variants">The names of the machines and their compilers, the best first.</param>
    public static BundleContent Chat(IReadOnlyList<(string Name, Func<Module, Executable> Compile)> variants)
    {
        var graph = new Graph();
        Tensor weights = graph.Constant(Literal.From<float>([.. Enumerable.Range(1, Length).Select(i => (float)i)], Length));
        Variable cache = graph.Variable(Literal.From<float>(new float[Length], Length), "cache");
        Variable calls = graph.Variable(Literal.From<int>([40], []), "calls");
        Tensor x = graph.Placeholder(DType.F32, [Length], "x");
        Tensor filled = (x * weights).Named("filled");
        LoweredGraph prefill = graph.Lower([filled.ReduceSum().Named("sum")], [x], [cache.Assign(filled)]);
        Operation add = cache.AssignAdd(x);
        Operation count = calls.AssignAdd(graph.Constant(Literal.From<int>([1], [])));
        LoweredGraph decode = graph.Lower([(cache.Read() * weights).Named("y"), calls.Read().Named("count")], [x], [add, count]);
        return new BundleContent
        {
            Name = "chat",
            Functions = [Of("prefill", prefill), Of("decode", decode)],
        };

        BundleFunction Of(string name, LoweredGraph lowered) => new(
            name, [.. variants.Select(v => new BundleCode(v.Name, v.Compile(lowered.Module)))]) { States = BundleStateUse.Of(lowered) };
    }

    /// <summary>A function without state, y = x * [factor, factor, factor, factor + 1], with one variant for this processor.</summary>
    public static BundleContent Scale(float factor, string variant = "host")
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [4], "x");
        Module module = graph.ToModule([(x * graph.Constant(Literal.From<float>([factor, factor, factor, factor + 1], 4))).Named("y")]);
        return new BundleContent
        {
            Name = "scale", Functions = [new BundleFunction("run", [new BundleCode(variant, Compile(module))])],
        };
    }

    /// <summary>Compiles a lowered graph for this processor.</summary>
    public static BundleFunction Function(string name, LoweredGraph lowered) =>
        new(name, [new BundleCode("host", Compile(lowered.Module))]) { States = BundleStateUse.Of(lowered) };

    /// <summary>Compiles a module for this processor.</summary>
    public static Executable Compile(Module module) =>
        GraphCompiler.Cpu().Compile(module, NullLogger.Instance, CancellationToken.None);

    /// <summary>The bytes of a bundle.</summary>
    public static byte[] Bytes(BundleContent content, System.Security.Cryptography.ECDsa? key = null)
    {
        using var stream = new MemoryStream();
        content.Write(stream, key);
        return stream.ToArray();
    }

    /// <summary>Runs a function of one input and one output, both f32.</summary>
    public static float[] Run(GraphProgram program, params float[] x) =>
        program.Run(new Dictionary<string, Feed> { [program.Inputs[0].Name] = x })[0].As<float>().ToArray();
}
