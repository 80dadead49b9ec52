using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/control-flow.md</summary>
internal sealed class ControlFlowGuideTests
{
    [Test]
    public void Branches()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [], "x");

        // snippet
        Tensor root = graph.Cond(x.Greater(0), () => x.Sqrt(), () => x * 0);
        // end

        using var session = new Session(graph, GraphCompiler.Cpu());
        Assert.That(session.Run(root, (x, 9f))[0].AsDouble, Is.EqualTo(3));
        Assert.That(session.Run(root, (x, -9f))[0].AsDouble, Is.Zero);
    }

    [Test]
    public void Loops()
    {
        var graph = new Graph();
        Tensor n = graph.Placeholder(DType.I64, [], "n");

        // snippet
        Tensor[] final = graph.While(
            [n, graph.Constant(0L)],
            v => v[0].Greater(1),
            v =>
            {
                Tensor half = v[0] / 2;
                Tensor isOdd = (v[0] - half * 2).Greater(0);
                return [graph.Cond(isOdd, () => v[0] * 3 + 1, () => half), v[1] + 1];
            });
        Tensor steps = final[1];
        // end

        using var session = new Session(graph, GraphCompiler.Cpu());
        Assert.That(session.Run(steps, (n, 27L))[0].AsDouble, Is.EqualTo(111), "the Collatz sequence of 27");
    }

    [Test]
    public void State()
    {
        var graph = new Graph();
        Tensor loss = graph.Placeholder(DType.F32, [], "loss");

        // snippet
        Variable best = graph.Variable(Literal.From<float>([float.MaxValue]), "best");
        Operation remember = graph.If(loss.Less(best.Read()), () => best.Assign(loss));
        // end

        using var session = new Session(graph, GraphCompiler.Cpu());
        foreach (float value in new[] { 3f, 1f, 2f })
        {
            session.Run([], [(loss, value)], [remember]);
        }
        Assert.That(session.ValueOf(best)[0].AsDouble, Is.EqualTo(1));
    }
}
