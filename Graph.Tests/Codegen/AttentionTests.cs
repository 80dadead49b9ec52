using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Attention in one kernel: the bits of its decomposition, and close to the reference, for every shape and mask.</summary>
internal sealed class AttentionTests
{
    private static readonly OptimizerOptions Apart =
        OptimizerOptions.Default with { Debug = DebugOptions.None with { DisabledPasses = ["composite-recognition"] } };

    [TestCase(1, 2, 16, 16, 64)]
    [TestCase(2, 3, 37, 53, 40)]
    [TestCase(1, 1, 1, 129, 64)]
    [TestCase(3, 2, 1, 7, 5)]
    [TestCase(1, 3, 1, 300, 40)]
    [TestCase(2, 2, 1, 77, 16)]
    [TestCase(1, 2, 1, 33, 100)]
    [TestCase(1, 4, 3, 33, 8)]
    [TestCase(2, 1, 5, 2, 3)]
    [TestCase(1, 2, 130, 130, 32)]
    [TestCase(1, 1, 18, 300, 16)]
    public void OneKernelGivesTheBitsOfThree(int batch, int heads, int queries, int keys, int size) =>
        Agrees(b =>
        [
            b.Attention(
                Query(b, batch, heads, queries, size),
                Keys(b, 1, batch, heads, keys, size), Keys(b, 2, batch, heads, keys, size)),
        ]);

    [Test]
    public void ProjectionsAreReadWhereTheyLie() => Agrees(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 19, 3 * 4 * 24)));
        Node[] parts = [.. Enumerable.Range(0, 3).Select(i => b.Transpose(
            b.Reshape(b.SliceDimension(x, 2, i * 96, (i + 1) * 96), [2, 19, 4, 24]), [0, 2, 1, 3]))];
        return [b.Reshape(b.Transpose(b.Attention(parts[0], parts[1], parts[2]), [0, 2, 1, 3]), [2, 19, 96])];
    });

    [Test]
    public void KeysMayBeStoredTransposed([Values(9, 1)] int queries, [Values(21, 100)] int keys) => Agrees(b =>
    {
        Node columns = b.Parameter(1, new TensorType(DType.F32, Shape.Of(1, 2, 12, keys)));
        return [b.Attention(Query(b, 1, 2, queries, 12), b.Transpose(columns, [0, 1, 3, 2]), Keys(b, 2, 1, 2, keys, 12))];
    });

    [TestCase(1, 1, 1, 23)]
    [TestCase(2, 1, 1, 23)]
    [TestCase(2, 1, 19, 23)]
    [TestCase(2, 3, 19, 23)]
    [TestCase(1, 3, 19, 23)]
    public void NumbersMayBeAddedToScores(long batch, long heads, long queries, long keys) => Agrees(b => [b.Attention(
        Query(b, 2, 3, 19, 16), Keys(b, 1, 2, 3, 23, 16), Keys(b, 2, 2, 3, 23, 16),
        b.Parameter(3, new TensorType(DType.F32, Shape.Of(batch, heads, queries, keys))))]);

    [Test]
    public void KeysMayBeHidden([Values] bool causal, [Values(19, 1)] int queries) => Agrees(b => [b.Attention(
        Query(b, 2, 3, queries, 16), Keys(b, 1, 2, 3, 23, 16), Keys(b, 2, 2, 3, 23, 16),
        b.Less(b.Parameter(3, new TensorType(DType.F32, Shape.Of(2, 1, 1, 23))), b.Splat(DType.F32, Shape.Of(2, 1, 1, 23), 0.5)),
        new AttentionOptions { Causal = causal, SoftCap = causal ? null : 3 })]);

    [Test]
    public void AQueryThatSeesNoKeyGivesNaN([Values(3, 1)] int queries)
    {
        int blind = queries / 2;
        Module module = CompiledModule.Build(b => [b.Attention(
            Query(b, 1, 1, queries, 8), Keys(b, 1, 1, 1, 5, 8), Keys(b, 2, 1, 1, 5, 8),
            b.Parameter(3, new TensorType(DType.Bool, Shape.Of(1, 1, queries, 5))))]);
        Literal mask = Literal.Generate(new TensorType(DType.Bool, Shape.Of(1, 1, queries, 5)), at => Scalar.FromBool(at[2] != blind));
        Literal found = CompiledModule.Run(module, [Noise([1, 1, queries, 8], 1), Noise([1, 1, 5, 8], 2), Noise([1, 1, 5, 8], 3), mask])[0];
        for (int i = 0; i < 8 * queries; i++)
        {
            Assert.That(double.IsNaN(found[i].AsDouble), Is.EqualTo(i / 8 == blind), $"element {i}");
        }
    }

    [Test]
    public void HeadsMayShareKeys() => Agrees(
        b => [b.Attention(Query(b, 2, 6, 11, 16), Keys(b, 1, 2, 2, 13, 16), Keys(b, 2, 2, 2, 13, 16))]);

    [Test]
    public void DoublesWorkToo() => Agrees(b =>
    {
        Node Part(int number, long positions) => b.Parameter(number, new TensorType(DType.F64, Shape.Of(1, 2, positions, 10)));
        return [b.Attention(Part(0, 9), Part(1, 21), Part(2, 21))];
    });

    [Test]
    public void OneCompilationServesAllLengths()
    {
        Module dynamic = Sequence(Dim.Symbol("length", 1, 100_000));
        using var session = new Session(dynamic, new CompiledModule.Uncached());
        foreach (int length in new[] { 1, 2, 7, 16, 100, 200 })
        {
            Literal[] arguments = [.. Enumerable.Range(1, 3).Select(i => Noise([2, length, 3 * 8], i))];
            Literal found = session.Run("y0", Enumerable.Range(0, 3).ToDictionary(i => $"x{i}", i => (Feed)arguments[i]));
            LiteralAssert.AreEqual(found, CompiledModule.Run(Sequence(length), arguments)[0], $"length {length}");
            LiteralAssert.AreEqual(found, RunApart(Sequence(length), arguments)[0], $"length {length}, in three kernels");
        }
    }

    [Test]
    public void OneQueryMeetsAnyNumberOfKeys([Values] bool areColumns)
    {
        Module Step(Dim length) => CompiledModule.Build(b =>
        {
            Node keys = areColumns
                ? b.Transpose(b.Parameter(1, new TensorType(DType.F32, [1, 2, 24, length])), [0, 1, 3, 2])
                : b.Parameter(1, new TensorType(DType.F32, [1, 2, length, 24]));
            return [b.Attention(Query(b, 1, 2, 1, 24), keys, b.Parameter(2, new TensorType(DType.F32, [1, 2, length, 24])))];
        });
        using var session = new Session(Step(Dim.Symbol("length", 1, 4000)), new CompiledModule.Uncached());
        foreach (int length in new[] { 1, 2, 15, 16, 17, 31, 32, 33, 64, 100, 1000 })
        {
            Literal[] arguments =
                [Noise([1, 2, 1, 24], 1), Noise(areColumns ? [1, 2, 24, length] : [1, 2, length, 24], 2), Noise([1, 2, length, 24], 3)];
            Literal found = session.Run("y0", Enumerable.Range(0, 3).ToDictionary(i => $"x{i}", i => (Feed)arguments[i]));
            LiteralAssert.AreEqual(found, CompiledModule.Run(Step(length), arguments)[0], $"{length} keys");
            LiteralAssert.AreEqual(found, RunApart(Step(length), arguments)[0], $"{length} keys, in three kernels");
        }
    }

    [Test]
    public void MoreKeysThanFitGiveNearlyTheSame([Values(4097, 9000)] int keys, [Values(0, 0.5, 1)] double share, [Values(3, 1)] int queries)
    {
        double hidden = share * keys;
        Module module = CompiledModule.Build(b => [b.Attention(
            Query(b, 1, 2, queries, 8), Keys(b, 1, 1, 2, keys, 8), Keys(b, 2, 1, 2, keys, 8),
            b.Parameter(3, new TensorType(DType.F32, Shape.Of(keys))))]);
        Literal mask = Literal.Generate(
            new TensorType(DType.F32, Shape.Of(keys)), at => Scalar.FromDouble(DType.F32, at[0] < hidden ? double.NegativeInfinity : 0));
        Literal[] arguments = [Noise([1, 2, queries, 8], 1), Noise([1, 2, keys, 8], 2), Noise([1, 2, keys, 8], 3), mask];
        Literal found = CompiledModule.Run(module, arguments, threads: 1)[0];
        LiteralAssert.AreClose(found, RunApart(module, arguments)[0], 2e-6, 2e-7);
        LiteralAssert.AreEqual(CompiledModule.Run(module, arguments, threads: 2)[0], found, "two threads");
    }

    private static Module Sequence(Dim length) => CompiledModule.Build(b =>
    {
        Node[] parts = [.. Enumerable.Range(0, 3).Select(i => b.Transpose(
            b.Reshape(b.Parameter(i, new TensorType(DType.F32, [2, length, 3 * 8])), [2, length, 3, 8]), [0, 2, 1, 3]))];
        return [b.Reshape(b.Transpose(b.Attention(parts[0], parts[1], parts[2]), [0, 2, 1, 3]), [2, length, 3 * 8])];
    });

    private static Node Query(GraphBuilder b, int batch, int heads, int queries, int size) => Keys(b, 0, batch, heads, queries, size);

    private static Node Keys(GraphBuilder b, int number, int batch, int heads, int keys, int size) =>
        b.Parameter(number, new TensorType(DType.F32, Shape.Of(batch, heads, keys, size)));

    // What copies and names of values leave over.
    private static bool Computes(Node node) => node.Op is not (ParameterOp or ReshapeOp or GetTupleElementOp
        or FusionOp { Kind: FusionKind.Loop or FusionKind.Batch });

    private static void Agrees(Func<GraphBuilder, Node[]> write)
    {
        Module module = CompiledModule.Build(write);
        Literal[] arguments =
            [.. module.Entry.ParameterTypes.Select((type, i) => Noise(type.Shape.ToStatic(), i + 1, type.DType))];
        Module optimized = GraphOptimizer.Run(module);
        Assert.That(
            optimized.Entry.PostOrder().Where(Computes).Select(n => n.Op.Name),
            Is.EqualTo(new[] { "composite" }), "all of it is one kernel");
        Literal found = CompiledModule.Run(module, arguments)[0];
        LiteralAssert.AreEqual(found, RunApart(module, arguments)[0], "three kernels");
        LiteralAssert.AreClose(found, Evaluator.Evaluate(module.Entry, arguments)[0], 1e-5, 1e-6, "reference");
    }

    private static Literal[] RunApart(Module module, Literal[] arguments)
    {
        Executable executable = GraphCompiler.Cpu(new GraphCompilerOptions { Optimizer = Apart })
            .Compile(module, NullLogger.Instance, default);
        using NativeProgram program = NativeProgram.Load(executable);
        using var session = new Session(module, new Ready(program));
        return session.Run(module.OutputNames, module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second));
    }

    private sealed class Ready(GraphProgram program) : IGraphCompiler
    {
        public string Device => "cpu";

        public GraphProgram Compile(Module module, Microsoft.Extensions.Logging.ILogger logger, CancellationToken cancellation) => program;
    }
}
