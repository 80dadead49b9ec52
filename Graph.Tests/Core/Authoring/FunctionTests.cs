using Graphene.Runtime;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Authoring;

/// <summary>What a function does when it is called; <see cref="FunctionTracingTests"/> says when it is traced.</summary>
internal sealed class FunctionTests
{
    [Test]
    public void ACallPutsTheFunctionsOpsInItsPlace()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [2], "x");
        Function f = g.Function(v => (v * 2).Exp() + 1);

        Assert.That(g.ToModule([f[x]]).Entry, Is.EqualTo(g.ToModule([(x * 2).Exp() + 1]).Entry));
    }

    [Test]
    public void SeveralArgumentsAndResults()
    {
        var g = new Graph();
        Function f = g.Function(x => [x[0] + x[1], x[0] - x[1]]);
        using var session = new Session(g, new ReferenceCompiler());

        Literal[] results = session.Call(f, 5f, 3f);

        Assert.That(results.Select(r => r[0].AsDouble), Is.EqualTo(new[] { 8.0, 2.0 }));
    }

    [Test]
    public void TensorsOfTheGraphAreCaptured()
    {
        var g = new Graph();
        Tensor scale = g.Placeholder(DType.F32, [], "scale");
        Tensor twice = scale * 2;
        Function f = g.Function(x => x * twice);
        Tensor y = f[g.Constant(5f)] + f[g.Constant(7f)];

        Assert.That(new TestSession(g).Scalar(y, (scale, F32([], 10))), Is.EqualTo(240));
        Assert.That(f.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void VariablesAreReadAndAssignedByEachCall()
    {
        var g = new Graph();
        Variable total = g.Variable(F32([], 0), "total");
        Function add = g.Function(x =>
        {
            total.AssignAdd(x);
            return total.Read();
        });
        Tensor first = add[g.Constant(3f)];
        Tensor second = add[g.Constant(4f)];
        using var session = new Session(g, new ReferenceCompiler());

        Assert.Multiple(() =>
        {
            Assert.That(session.Run([second, first], []).Select(l => l[0].AsDouble), Is.EqualTo(new[] { 7.0, 3.0 }));
            Assert.That(session.ValueOf(total)[0].AsDouble, Is.EqualTo(7), "a result that is fetched brings the assignment");
            Assert.That(session.Call(add, 10f)[0][0].AsDouble, Is.EqualTo(17));
            Assert.That(session.Call(add, 10f)[0][0].AsDouble, Is.EqualTo(27));
            Assert.That(add.TraceCount, Is.EqualTo(1));
        });
    }

    [Test]
    public void AFunctionWithoutResultsIsAnOperation()
    {
        var g = new Graph();
        Variable counter = g.Variable(F32([], 0), "counter");
        Function count = g.Function(x =>
        {
            counter.AssignAdd(g.Constant(1f));
            return [];
        });
        Operation twice = g.Group(count.Call([]).Operation, count.Call([]).Operation);
        using var session = new Session(g, new ReferenceCompiler());

        session.Run([], [], [twice]);
        session.Call(count);

        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(3));
    }

    [Test]
    public void CallsWithinBranchesAndLoopsAreTracedOnce()
    {
        var g = new Graph();
        Variable calls = g.Variable(F32([], 0), "calls");
        Tensor step = g.Placeholder(DType.F32, [], "step");
        Function next = g.Function(x =>
        {
            calls.AssignAdd(g.Constant(1f));
            return x + step;
        });
        Tensor[] looped = g.While([g.Constant(0f)], v => v[0].Less(10), v => [next[v[0]]]);
        Tensor chosen = g.Cond(step.Greater(2), () => next[looped[0]], () => looped[0]);
        using var session = new Session(g, new ReferenceCompiler());

        Assert.That(session.Run(chosen, (step, 3f))[0].AsDouble, Is.EqualTo(15), "0 3 6 9 12, and once more");
        Assert.That(session.ValueOf(calls)[0].AsDouble, Is.EqualTo(5));
        Assert.That(next.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void FunctionsCallFunctions()
    {
        var g = new Graph();
        Function square = g.Function(x => x * x, "square");
        Function norm = g.Function(x => square[x].ReduceSum().Sqrt(), "norm");
        Function distance = g.Function((x, y) => norm[x - y] + norm[y - x], "distance");
        using var session = new Session(g, new ReferenceCompiler());

        Assert.That(session.Call(distance, new float[] { 3, 0 }, new float[] { 0, 4 })[0][0].AsDouble, Is.EqualTo(10));
        Assert.That(new[] { square.TraceCount, norm.TraceCount, distance.TraceCount }, Is.EqualTo(new[] { 1, 1, 1 }));
    }

    [Test]
    public void LoopsAndBranchesWithinFunctionsWork()
    {
        var g = new Graph();
        Function power = g.Function((x, n) => g.While(
            [n, x * 0 + 1], v => v[0].Greater(0), v => [v[0] - 1, g.Cond(x.Greater(0), () => v[1] * x, () => v[1] * 0)])[1]);
        using var session = new Session(g, new ReferenceCompiler());

        Assert.That(session.Call(power, 3f, 4)[0][0].AsDouble, Is.EqualTo(81));
        Assert.That(session.Call(power, -3f, 4)[0][0].AsDouble, Is.EqualTo(0));
    }

    [Test]
    public void PrintsOfTwoCallsStayTwo()
    {
        var g = new Graph();
        Function shout = g.Function(x => x.Print("value") + 1);
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor y = shout[x] + shout[x];
        using var log = new StringWriter();
        using var session = new Session(g, new ReferenceCompiler(), new SessionOptions { PrintOutput = log });
        Computation entry = g.ToModule([y]).Entry;

        Assert.That(entry.Effects.Select(e => ((HostCallOp)e.Op).Ordinal).Distinct().Count(), Is.EqualTo(2));
        Assert.That(session.Run(y, (x, 1f))[0].AsDouble, Is.EqualTo(4));
    }

    [Test]
    public void SymbolicSizesTakeTheCallsValues()
    {
        var g = new Graph();
        Function f = g.Function(
            x => x / g.Size(x.Shape[0]).Cast(DType.F32) + g.Ones(DType.F32, [x.Shape[0]]), "f",
            new FunctionOptions { Signature = [new TensorType(DType.F32, ["n"])] });
        Tensor a = g.Placeholder(DType.F32, [4], "a");
        Tensor b = g.Placeholder(DType.F32, ["m"], "b");
        Tensor four = f[a];
        Tensor many = f[b];

        Assert.Multiple(() =>
        {
            Assert.That(f.TraceCount, Is.EqualTo(1));
            Assert.That(four.Shape, Is.EqualTo(Shape.Of(4)));
            Assert.That(many.Shape, Is.EqualTo(b.Shape));
        });
        using var session = new Session(g, new ReferenceCompiler());
        Assert.That(session.Run(many, (b, new float[] { 2, 4 })).As<float>().ToArray(), Is.EqualTo(new float[] { 2, 3 }));
    }

    [Test]
    public void OpsOfAFunctionKeepTheirLine()
    {
        var g = new Graph();
        Function f = g.Function(x => x.Tanh(), "activation");
        Module module = g.ToModule([f[g.Placeholder(DType.F32, [2], "x")]]);
        Provenance origin = module.Provenance[module.Entry.Results[0]][0];

        Assert.That(Path.GetFileName(origin.File), Is.EqualTo("FunctionTests.cs"));
        Assert.That(origin.Scope, Is.EqualTo("activation"));
    }

    [Test]
    public void ManyThreadsMayCall()
    {
        var g = new Graph();
        Function f = g.Function(x => x * 2 + 1, options: new FunctionOptions { GeneralizeSizes = false, RetraceLimit = 8 });
        using var session = new Session(g, new ReferenceCompiler());

        Parallel.For(0, 64, i =>
        {
            float[] x = new float[1 + (i % 4)];
            Array.Fill(x, i);
            Assert.That(session.Call(f, x)[0].As<float>().ToArray(), Is.All.EqualTo((2 * i) + 1));
        });
        Assert.That(f.TraceCount, Is.EqualTo(4));
    }

    [Test]
    public void ArgumentsMustFitTheSignature()
    {
        var g = new Graph();
        var signature = new FunctionOptions { Signature = [new TensorType(DType.F32, ["n", "n"])] };
        Function f = g.Function(x => x.ReduceSum(), "trace", signature);

        foreach (Literal bad in new[] { F32([2, 3], 1, 2, 3, 4, 5, 6), F32([2], 1, 2), Literal.From<int>([1], 1, 1) })
        {
            Assert.That(() => f[g.Constant(bad)], ThrowsCode("GR1532"));
        }
        Assert.That(() => f.Call([]), ThrowsCode("GR1532"));
        Assert.That(() => f[g.Constant(F32([2, 2], 1, 2, 3, 4))], Throws.Nothing);
    }

    [Test]
    public void AFunctionMayNotCallItself()
    {
        var g = new Graph();
        Function? f = null;
        f = g.Function(x => f![x]);

        Assert.That(() => f[g.Constant(1f)], ThrowsCode("GR1531"));
        Assert.That(g.Constant(1f).Shape, Is.EqualTo(Shape.Scalar), "the graph can be built further");
    }

    [Test]
    public void VariablesAreMadeOutside()
    {
        var g = new Graph();
        Function f = g.Function(x => x + g.Variable(F32([], 1), "w").Read());

        Assert.That(() => f[g.Constant(1f)], ThrowsCode("GR1534"));
    }

    [Test]
    public void TensorsOfALoopArePassedAsArguments()
    {
        var g = new Graph();
        Assert.That(
            () => g.While([g.Constant(0f)], v => v[0].Less(10), v => [g.Function(x => x + v[0])[v[0]]]),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(DiagnosticId.TensorOutOfScope));
    }

    internal static NUnit.Framework.Constraints.IResolveConstraint ThrowsCode(string code) =>
        Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).With.Property("Code").EqualTo(code);
}
