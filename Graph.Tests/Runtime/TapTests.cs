using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

internal sealed class TapTests
{
    [Test]
    public void TapsHandOverValuesAndChangeNoBit()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
        Tensor plain = (x.Exp() * 3).ReduceSum();
        Tensor tapped = (x.Exp().Tap("exp") * 3).Tap("scaled").ReduceSum();
        var taken = new List<(string Name, Literal Value)>();
        var options = new SessionOptions { TapOutput = (name, value) => taken.Add((name, value)) };
        using var session = new Session(graph, GraphCompiler.Cpu(), options);
        float[] values = [0.1f, 0.2f, 0.3f];

        Literal result = session.Run(tapped, (x, values));

        Assert.That(result, Is.EqualTo(session.Run(plain, (x, values))));
        Assert.That(taken.Select(t => t.Name), Is.EqualTo(new[] { "exp", "scaled" }));
        Assert.That(taken[0].Value, Is.EqualTo(session.Run(x.Exp(), (x, values))));
        Assert.That(taken[1].Value.Shape, Is.EqualTo(Shape.Of(3)));
    }

    [Test]
    public void TapsInLoopsTakeEachRound()
    {
        var graph = new Graph();
        Tensor[] final = graph.While(
            [graph.Constant(0)], v => v[0].Less(4), v =>
            {
                graph.Tap("round", v[0]);
                return [v[0] + 1];
            });
        var taken = new List<double>();
        using var session = new Session(
            graph, GraphCompiler.Cpu(), new SessionOptions { TapOutput = (_, value) => taken.Add(value[0].AsDouble) });

        Assert.That(session.Run(final[0])[0].AsDouble, Is.EqualTo(4));
        Assert.That(taken, Is.EqualTo(new double[] { 0, 1, 2, 3 }));
    }

    [Test]
    public void WithoutAListenerTapsCostNothing()
    {
        var graph = new Graph();
        using var session = new Session(graph, GraphCompiler.Cpu());

        Assert.That(session.Run(graph.Constant(2f).Tap("two"))[0].AsDouble, Is.EqualTo(2));
    }

    [Test]
    public void AListenerThatFailsEndsTheRun()
    {
        var graph = new Graph();
        var options = new SessionOptions { TapOutput = (_, _) => throw new FormatException("not like that") };
        using var session = new Session(graph, GraphCompiler.Cpu(), options);

        Assert.That(() => session.Run(graph.Constant(2f).Tap("two")), Throws.TypeOf<FormatException>());
    }
}
