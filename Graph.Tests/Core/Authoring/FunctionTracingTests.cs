using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using static Graphene.Tests.Core.Authoring.FunctionTests;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Authoring;

/// <summary>When a function is traced: a test for each row of the table in docs/guide/functions.md.</summary>
internal sealed class FunctionTracingTests : IDisposable
{
    private Graph _graph = null!;
    private Session _session = null!;

    [SetUp]
    public void Make()
    {
        _graph = new Graph();
        _session = new Session(_graph, new ReferenceCompiler());
    }

    [TearDown]
    public void Dispose() => _session.Dispose();

    [Test]
    public void TheFirstCallTraces()
    {
        Function f = _graph.Function(x => x + 1);
        Assert.That(f.TraceCount, Is.Zero);
        _session.Call(f, 1f);

        Assert.That(f.TraceCount, Is.EqualTo(1));
        Assert.That(f.LastTraceCause, Is.EqualTo("it is the first call"));
    }

    [Test]
    public void OtherValuesDoNot()
    {
        Function f = _graph.Function(x => x + 1);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(_session.Call(f, new float[] { i, i })[0].As<float>()[0], Is.EqualTo(i + 1));
        }

        Assert.That(f.TraceCount, Is.EqualTo(1));
        Assert.That(_session.PlanCount, Is.EqualTo(1), "compiled once, too");
    }

    [Test]
    public void AnotherElementTypeDoes()
    {
        Function f = _graph.Function(x => x + 1);
        _session.Call(f, 1f);
        Assert.That(_session.Call(f, 1)[0].DType, Is.EqualTo(DType.I32));

        Assert.That(f.TraceCount, Is.EqualTo(2));
        Assert.That(f.LastTraceCause, Does.StartWith("argument types (i32[]) differ from those traced last (f32[])"));
    }

    [Test]
    public void AnotherRankDoes()
    {
        Function f = _graph.Function(x => x + 1);
        _session.Call(f, 1f);
        _session.Call(f, new float[] { 1 });

        Assert.That(f.TraceCount, Is.EqualTo(2));
    }

    [Test]
    public void AnotherNumberOfArgumentsDoes()
    {
        Function f = _graph.Function(x => [x.Aggregate((a, b) => a + b)]);
        _session.Call(f, 1f, 2f);
        Assert.That(_session.Call(f, 1f, 2f, 3f)[0][0].AsDouble, Is.EqualTo(6));

        Assert.That(f.TraceCount, Is.EqualTo(2));
    }

    [Test]
    public void AnotherSizeDoesOnceAndIsSymbolicFromThenOn()
    {
        Function f = _graph.Function((x, y) => x * 2 + y.ReduceSum());
        foreach (int size in new[] { 3, 4, 5, 100, 3 })
        {
            Assert.That(_session.Call(f, new float[size], new float[7])[0].Shape, Is.EqualTo(Shape.Of(size)));
        }
        Assert.That(f.TraceCount, Is.EqualTo(2));
        Assert.That(f.LastTraceCause, Does.Contain("f32[4], f32[7]").And.EndsWith("sizes that differ are symbolic from here on"));

        _session.Call(f, new float[6], new float[8]);
        Assert.That(f.TraceCount, Is.EqualTo(3), "the other argument's size was a number still");
    }

    [Test]
    public void SizesThatChangeTogetherAreOne()
    {
        Function f = _graph.Function((x, y) => x + y);
        _session.Call(f, new float[3], new float[3]);
        _session.Call(f, new float[4], new float[4]);
        _session.Call(f, new float[5], new float[5]);

        Assert.That(f.TraceCount, Is.EqualTo(2));
    }

    [Test]
    public void EverySizeDoesWhenSizesAreNotGeneralized()
    {
        Function f = _graph.Function(x => x * 2, options: new FunctionOptions { GeneralizeSizes = false });
        _session.Call(f, new float[3]);
        _session.Call(f, new float[4]);
        _session.Call(f, new float[5]);
        _session.Call(f, new float[3]);

        Assert.That(f.TraceCount, Is.EqualTo(3));
    }

    [Test]
    public void NothingDoesAgainWithASignature()
    {
        var options = new FunctionOptions { Signature = [new TensorType(DType.F32, ["batch", 2])] };
        Function f = _graph.Function(x => x * 2, options: options);
        for (int batch = 1; batch < 5; batch++)
        {
            _session.Call(f, Feed.Of<float>(new float[2 * batch], batch, 2));
        }

        Assert.That(f.TraceCount, Is.EqualTo(1));
        Assert.That(_session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public void AnotherValueOfAVariableDoesNot()
    {
        Variable w = _graph.Variable(F32([], 2), "w");
        Function f = _graph.Function(x => x * w.Read());
        Assert.That(_session.Call(f, 3f)[0][0].AsDouble, Is.EqualTo(6));
        _session.Assign(w, F32([], 5));
        Assert.That(_session.Call(f, 3f)[0][0].AsDouble, Is.EqualTo(15));

        Assert.That(f.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void AnotherValueOfACSharpVariableDoesNotAndIsNotSeen()
    {
        float factor = 2;
        Function f = _graph.Function(x => x * factor);
        Assert.That(_session.Call(f, 3f)[0][0].AsDouble, Is.EqualTo(6));
        factor = 5;
        Assert.That(_session.Call(f, 3f)[0][0].AsDouble, Is.EqualTo(6), "it is a constant of the trace");

        Assert.That(f.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void ACallWithTensorsUsesTheSameTrace()
    {
        Function f = _graph.Function(x => x + 1);
        _session.Call(f, new float[3]);
        Tensor y = f[f[_graph.Placeholder(DType.F32, [3], "x")]];

        Assert.That(y.Shape, Is.EqualTo(Shape.Of(3)));
        Assert.That(f.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void AnotherSessionDoesNot()
    {
        Function f = _graph.Function(x => x + 1);
        using var other = new Session(_graph, new ReferenceCompiler());
        _session.Call(f, 1f);
        other.Call(f, 1f);

        Assert.That(f.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void ATraceThatMadeRoomDoes()
    {
        Function f = _graph.Function(x => x + 1, options: new FunctionOptions { GeneralizeSizes = false, MaxTraces = 2 });
        _session.Call(f, new float[1]);
        _session.Call(f, new float[2]);
        _session.Call(f, new float[1]); // now 2 was used longest ago
        _session.Call(f, new float[3]);
        Assert.That(f.TraceCount, Is.EqualTo(3));
        _session.Call(f, new float[1]);
        Assert.That(f.TraceCount, Is.EqualTo(3));
        _session.Call(f, new float[2]);
        Assert.That(f.TraceCount, Is.EqualTo(4));
    }

    [Test]
    public void TooManyTracesAreAnError()
    {
        Function f = _graph.Function(x => x + 1, "f", new FunctionOptions { GeneralizeSizes = false, RetraceLimit = 3 });
        for (int size = 1; size <= 3; size++)
        {
            _session.Call(f, new float[size]);
        }

        Assert.That(() => _session.Call(f, new float[4]), ThrowsCode("GR1533"));
        Assert.That(() => _session.Call(f, new float[2]), Throws.Nothing, "what was traced can be called");
    }

    [Test]
    public void ATraceThatFailsCountsForNothing()
    {
        Function f = _graph.Function(x => x.Reshape([7]));

        Assert.That(() => _session.Call(f, new float[3]), Throws.TypeOf<GraphException>());
        Assert.That(f.TraceCount, Is.Zero);
        Assert.That(_session.Call(f, new float[7]), Has.Length.EqualTo(1));
    }

    // Many calls, one trace: and one body of machine code, which all its kernels share.
    [Test]
    public void NestedFunctionsAreCompiledOnce()
    {
        Variable w = _graph.Variable(Literal.From<float>([.. Enumerable.Range(0, 64 * 64).Select(i => MathF.Sin(i) / 8)], 64, 64), "w");
        Function layer = _graph.Function(x => x.MatMul(w.Read()).Tanh(), "layer");
        Function stack = _graph.Function(x => Enumerable.Range(0, 6).Aggregate(x, (y, _) => layer[y]), "stack");
        using var session = new Session(_graph, GraphCompiler.Cpu());
        float[] x = [.. Enumerable.Range(0, 5 * 64).Select(i => MathF.Cos(i))];

        float[] compiled = session.Call(stack, Feed.Of<float>(x, 5, 64))[0].As<float>().ToArray();

        Assert.That(compiled, Is.EqualTo(_session.Call(stack, Feed.Of<float>(x, 5, 64))[0].As<float>().ToArray()).Within(1e-4));
        Assert.That((layer.TraceCount, stack.TraceCount), Is.EqualTo((1, 1)));
        FunctionEntry entry = stack.EntryFor([new TensorType(DType.F32, [5, 64])]);
        Module module = _graph.ToModule(entry.Call.Results, entry.Arguments);
        using NativeProgram program = NativeProgram.Load(
            GraphCompiler.Cpu().Compile(module, NullLogger.Instance, CancellationToken.None));
        string[] kernels = [.. program.Plan.Kernels.Select(k => k.Name)];
        Assert.That(kernels, Has.Length.GreaterThanOrEqualTo(6));
        Assert.That(kernels.Distinct().Count(), Is.EqualTo(kernels.Length / 6), "each layer's kernels are those of the first");
    }
}
