using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Authoring;

internal sealed class StateAndControlTests
{
    [Test]
    public void VariablesKeepTheirValueBetweenRuns()
    {
        var g = new Graph();
        Variable counter = g.Variable(F32([], 10), "counter");
        Tensor before = counter.Read();
        Operation step = counter.AssignAdd(g.Constant(1f));
        Tensor after = counter.Read();
        var session = new TestSession(g);

        Assert.Multiple(() =>
        {
            Assert.That(session.Scalar(after), Is.EqualTo(10), "the assignment was not asked for");
            Literal[] both = session.Run([before, after], null, [step]);
            Assert.That(both.Select(l => l[0].AsDouble), Is.EqualTo(new[] { 10.0, 11.0 }), "in the order of building");
            session.Run([], null, [step]);
            Assert.That(session.ValueOf(counter), Is.EqualTo(12));
        });
    }

    [Test]
    public void AnAssignedVariableIsAnInputAndAnOutput()
    {
        var g = new Graph();
        Variable weight = g.Variable(F32([2], 1, 2), "weight");
        Variable untouched = g.Variable(F32([2], 1, 2), "untouched");
        Tensor x = g.Placeholder(DType.F32, [2], "x");
        Operation update = weight.AssignSub(x * 0.5);
        Tensor loss = (untouched.Read() + weight.Read()).ReduceSum();

        LoweredGraph lowered = g.Lower([loss], null, [update]);

        Assert.Multiple(() =>
        {
            Assert.That(lowered.Module.InputNames, Is.EqualTo(new[] { "x", "weight", "untouched" }));
            Assert.That(lowered.Module.OutputNames, Has.Length.EqualTo(2));
            Assert.That(lowered.Variables, Is.EqualTo(new[] { new VariableBinding(weight, 1, 1), new VariableBinding(untouched, 2, -1) }));
        });
    }

    [Test]
    public void ControlDependenciesMakeEffectsHappen()
    {
        var g = new Graph();
        Variable v = g.Variable(F32([], 1), "v");
        Operation twice = v.Assign(v.Read() * 2);
        Operation thrice = v.Assign(v.Read() * 3);
        Tensor y;
        using (g.ControlDependencies(thrice, twice))
        {
            y = v.Read() + 100;
        }
        var session = new TestSession(g);

        Assert.That(session.Scalar(y), Is.EqualTo(106), "both happen, in the order in which they were built");
        Assert.That(session.ValueOf(v), Is.EqualTo(6));
    }

    [Test]
    public void EffectsStandInTheOrderOfBuilding()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Operation first = g.Print("first", [x]);
        Operation second = g.Print("second", [x]);
        Tensor y = x.Print("third") + 1;
        Tensor z;
        using (g.ControlDependencies(g.Group(second, first)))
        {
            z = y.Named("z");
            z += 0;
        }

        Assert.That(
            g.ToModule([z]).Entry.Effects.Select(e => ((HostCallOp)e.Op).Message), Is.EqualTo(new[] { "first", "second", "third" }));
        Assert.That(g.ToModule([y]).Entry.Effects, Has.Length.EqualTo(1));
        Assert.That(g.ToModule([x * 3]).Entry.Effects, Is.Empty);
    }

    [Test]
    public void AssertionsStopARun()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor y;
        using (g.ControlDependencies(g.Assert(x.Greater(0), "x must be positive", [x])))
        {
            y = x.Sqrt();
        }
        var session = new TestSession(g);

        Assert.That(session.Scalar(y, (x, F32([], 9))), Is.EqualTo(3));
        Assert.That(
            Assert.Throws<GraphException>(() => session.Scalar(y, (x, F32([], -9))))!.Message, Does.Contain("x must be positive"));
    }

    [TestCase(3, 7)]
    [TestCase(-3, 3)]
    public void BranchesCaptureWhatTheyUse(float value, double expected)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor twice = x * 2;

        Tensor y = g.Cond(x.Greater(0), () => twice + 1, () => -x);

        Assert.That(new TestSession(g).Scalar(y, (x, F32([], value))), Is.EqualTo(expected));
        var branch = (IfOp)Traversal.PostOrder(g.ToModule([y]).Entry.Results).Single(n => n.Op is IfOp).Op;
        Assert.That(branch.WhenTrue.Parameters, Has.Length.EqualTo(2), "2x and x, the same list for both branches");
    }

    [Test]
    public void LoopsCarryValuesAndCaptureTheRest()
    {
        var g = new Graph();
        Tensor n = g.Placeholder(DType.I32, [], "n");
        Tensor step = g.Placeholder(DType.F32, [], "step");

        Tensor[] result = g.While(
            [g.Constant(0), g.Constant(1f)],
            p => p[0].Less(n),
            p => [p[0] + 1, p[1] * step + 1]);

        Assert.That(new TestSession(g).Scalar(result[1], (n, I32([], 4)), (step, F32([], 2))), Is.EqualTo(31));
    }

    [Test]
    public void LoopsNest()
    {
        var g = new Graph();
        Tensor n = g.Placeholder(DType.I32, [], "n");
        Tensor[] sum = g.While(
            [g.Constant(0), g.Constant(0)],
            p => p[0].Less(n),
            p =>
            {
                Tensor[] inner = g.While([g.Constant(0), p[1]], q => q[0].Less(p[0]), q => [q[0] + 1, q[1] + (p[0] * n)]);
                return [p[0] + 1, inner[1]];
            });

        // sum over i < 4 of i * i * 4
        Assert.That(new TestSession(g).Scalar(sum[1], (n, I32([], 4))), Is.EqualTo(56));
    }

    [Test]
    public void ABodyMayAssignVariables()
    {
        var g = new Graph();
        Variable v = g.Variable(F32([], 1), "v");
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor[] rounds = g.While(
            [g.Constant(0)],
            p => p[0].Less(3),
            p =>
            {
                v.Assign(v.Read() * x);
                return [p[0] + 1];
            });
        Operation reset = g.If(x.Greater(5), () => v.Assign(g.Constant(-1f)));
        Tensor after = v.Read();
        var session = new TestSession(g);

        session.Run([rounds[0]], [(x, F32([], 2))]);
        Assert.That(session.ValueOf(v), Is.EqualTo(8), "the loop's assignments happen because its result was fetched");
        Literal[] y = session.Run([rounds[0], after], [(x, F32([], 10))], [reset]);
        Assert.That(y[1][0].AsDouble, Is.EqualTo(-1), "reset after the loop, as built");
    }

    [Test]
    public void EffectsOfABodyHappenInItsOrder()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Operation both = g.If(
            x.Greater(0),
            () =>
            {
                g.Print("one");
                g.Assert(x.Less(10), "too large");
                g.Print("two");
            });

        Computation entry = g.ToModule([], null, [both]).Entry;

        var branch = (IfOp)entry.Effects.Single().Op;
        Assert.That(branch.WhenTrue.Effects.Select(e => ((HostCallOp)e.Op).Message), Is.EqualTo(new[] { "one", "too large", "two" }));
        Assert.That(branch.WhenFalse.Effects, Is.Empty);
    }

    [Test]
    public void ACaseChoosesByNumber()
    {
        var g = new Graph();
        Tensor n = g.Placeholder(DType.I32, [], "n");
        Tensor[] y = g.Case(n, [() => [g.Constant(10f)], () => [g.Constant(20f)], () => [n.Cast(DType.F32)]]);
        var session = new TestSession(g);

        Assert.That(
            new[] { 0, 1, 2, 9 }.Select(i => session.Scalar(y[0], (n, I32([], i)))), Is.EqualTo(new double[] { 10, 20, 2, 9 }));
    }
}
