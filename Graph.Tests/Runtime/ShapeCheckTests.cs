using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>What inference could not prove about shapes is tested before code runs that relies on it.</summary>
[TestFixture]
internal sealed class ShapeCheckTests
{
    private static readonly IGraphCompiler[] Compilers = [new CompiledModule.Uncached(), new ReferenceCompiler()];

    private static readonly DimSymbol First = new("first", 0, 1 << 20);
    private static readonly DimSymbol Second = new("second", 0, 1 << 20);

    [Test]
    public void UnrelatedSymbolsThatAreAddedMustBeEqual([ValueSource(nameof(Compilers))] IGraphCompiler compiler)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [First], "x");
        Tensor y = graph.Placeholder(DType.F32, [Second], "y");
        Tensor sum = x + y;
        using var session = new Session(graph, compiler);

        Assert.That(session.Run(sum, (x, Ones(5)), (y, Ones(5))).As<float>().ToArray(), Is.EqualTo(new float[] { 2, 2, 2, 2, 2 }));
        foreach ((int left, int right) in ((int, int)[])[(4000, 3), (3, 4000), (0, 1)])
        {
            GraphException e = Assert.Throws<GraphException>(() => session.Run(sum, (x, Ones(left)), (y, Ones(right))))!;
            Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.ShapeMismatch));
            Assert.That(e.Message, Does.Contain($"first = {left}").And.Contain($"second = {right}"));
            Assert.That(e.Message, Does.Contain($"built in {nameof(ShapeCheckTests)}.cs:"), "the user's line");
        }
        Assert.That(session.Run(sum, (x, Ones(2)), (y, Ones(2))).As<float>().ToArray(), Is.EqualTo(new float[] { 2, 2 }));
    }

    [Test]
    public void ASliceMustLieInside([ValueSource(nameof(Compilers))] IGraphCompiler compiler)
    {
        Module module = CompiledModule.Build(b =>
            [b.Slice(b.Parameter(0, new TensorType(DType.F32, Shape.From([(Dim)First]))), [2], [10], [1])]);
        using var session = new Session(module, compiler);

        Assert.That(session.Run("y0", Feeds(Ones(10))).Shape, Is.EqualTo(Shape.Of(8)));
        GraphException e = Assert.Throws<GraphException>(() => session.Run("y0", Feeds(Ones(9))))!;
        Assert.That(e.Message, Does.Contain("10 must be at most first = 9").And.Contain("slice"));
    }

    [Test]
    public void WhatALoopBodyReliesOnIsTestedToo([ValueSource(nameof(Compilers))] IGraphCompiler compiler)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [First], "x");
        Tensor y = graph.Placeholder(DType.F32, [Second], "y");
        Tensor[] result = graph.While(
            [graph.Constant(0), x, y], p => p[0].Less(graph.Constant(3)), p => [p[0] + 1, p[1] + p[2], p[2]]);
        using var session = new Session(graph, compiler);

        Assert.That(session.Run(result[1], (x, Ones(2)), (y, Ones(2))).As<float>().ToArray(), Is.EqualTo(new float[] { 4, 4 }));
        GraphException e = Assert.Throws<GraphException>(() => session.Run(result[1], (x, Ones(2)), (y, Ones(100_000))))!;
        Assert.That(e.Message, Does.Contain("first = 2").And.Contain("second = 100000"));
    }

    [Test]
    public void ACompiledFileKeepsItsChecks()
    {
        Module module = CompiledModule.Build(b =>
        [
            b.Add(b.Parameter(0, new TensorType(DType.F32, Shape.From([(Dim)First]))),
                b.Parameter(1, new TensorType(DType.F32, Shape.From([(Dim)Second])))),
        ]);
        string path = Path.GetTempFileName();
        try
        {
            using (Executable made = GraphCompiler.Cpu().Compile(module, NullLogger.Instance, CancellationToken.None))
            {
                made.WriteFile(path);
            }
            using GraphProgram program = NativeProgram.Load(Executable.Read(path));
            GraphException e = Assert.Throws<GraphException>(
                () => program.Run(new Dictionary<string, Feed> { ["x0"] = Ones(1), ["x1"] = Ones(2) }))!;
            Assert.That(e.Message, Does.Contain("first = 1").And.Contain("second = 2").And.Contain("add"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

    private static Dictionary<string, Feed> Feeds(float[] x) => new() { ["x0"] = x };
}
