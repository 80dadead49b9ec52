using Graphene.Codegen;
using Graphene.Interop.Onnx;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>The scratch memory that the plan promises is the memory that a run takes, to the byte.</summary>
[TestFixture]
internal sealed class ArenaPredictionTests
{
    // Written by make_models.py, too large for the repository.
    private static readonly string? Models = Environment.GetEnvironmentVariable("GRAPHENE_BENCH_MODELS");

    private static IEnumerable<string> Names => Models is null || !Directory.Exists(Models)
        ? []
        : Directory.GetFiles(Models, "*.onnx").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    [TestCase(64)]
    public void SymbolicPlansTakeWhatWasPredicted(int batch) => Check(Network("batch"), _ => batch);

    [Test]
    public void StaticPlansTakeWhatWasPredicted() => Check(Network(5), _ => 5);

    [TestCaseSource(nameof(Names))]
    [Category("Large")]
    public void ModelsTakeWhatWasPredicted(string name)
    {
        Module module = OnnxImporter.Import(Path.Combine(Models!, name + ".onnx")).Module;
        Check(module, s => Math.Clamp(3, s.Min, s.Max));
    }

    // Odd sizes, a branch whose two sides need different temporaries, and products that need workspaces.
    private static Module Network(Dim batch)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [batch, 37], "x");
        Tensor hidden = x.MatMul(Weights(graph, 37, 129)).Tanh();
        Tensor wide = hidden.MatMul(Weights(graph, 129, 301)).Relu();
        Tensor back = wide.MatMul(Weights(graph, 301, 37)) + x;
        Tensor product = back.MatMul(wide.MatMul(Weights(graph, 301, 37)).Transpose([1, 0])).Softmax();
        return graph.Lower([product.MatMul(hidden).Softmax(), back], null, []).Module;
    }

    private static Tensor Weights(Graph graph, int rows, int columns) => graph.Constant(Literal.From<float>(
        [.. Enumerable.Range(0, rows * columns).Select(i => MathF.Sin(i) / 8)], rows, columns));

    private static void Check(Module module, Func<DimSymbol, long> valueOf)
    {
        GraphCompiler compiler = GraphCompiler.Cpu();
        long predicted = compiler.PlanMemory(GraphOptimizer.Run(module)).Pack(valueOf).SizeInBytes;
        using NativeProgram program = NativeProgram.Load(compiler.Compile(module, NullLogger.Instance, CancellationToken.None));
        long[][] shapes = [.. program.Inputs.Select(i => i.Type.Shape.Select(d => d.Evaluate(valueOf)).ToArray())];

        Assert.That(program.ScratchBytes(shapes), Is.EqualTo(predicted));
        using Callable callable = program.MakeCallable();
        using BoundCall call = callable.Bind(shapes);
        long before = NativeBlock.LiveBytes;
        call.Run();
        int pointers = program.Plan.Buffers.Length + program.Symbols.Length;
        Assert.That(NativeBlock.LiveBytes - before, Is.EqualTo(predicted + RunFrame.ContextBytes + (pointers * sizeof(long))));
    }
}
