using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/first-graph.md</summary>
internal sealed class FirstGraphGuideTests
{
    [Test]
    public void BuildAndRun()
    {
        // snippet
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor w = graph.Constant(new float[,] { { 1, 0 }, { 0, 1 }, { 1, 1 } });
        Tensor y = (x.MatMul(w) * 2 + 1).Relu();
        // end
        Assert.That(y.Shape[1], Is.EqualTo((Dim)2));

        // snippet
        using var session = new Session(graph, GraphCompiler.Cpu());
        Literal one = session.Run(y, (x, Feed.Of<float>(new float[] { 1, 2, 3 }, 1, 3)));
        Literal two = session.Run(y, (x, Feed.Of<float>(new float[] { 1, 2, 3, -1, -2, -3 }, 2, 3)));
        // end
        Assert.That(one.As<float>().ToArray(), Is.EqualTo(new float[] { 9, 11 }));
        Assert.That(two.As<float>().ToArray(), Is.EqualTo(new float[] { 9, 11, 0, 0 }));
        Assert.That(session.PlanCount, Is.EqualTo(1));

        // snippet
        using Callable callable = session.MakeCallable([y], [x]);
        using BoundCall call = callable.Bind([2, 3]);
        float[] rows = [0, 0, 0, 1, 1, 1];
        rows.CopyTo(call.Input<float>(0));
        call.Run();
        float[] result = call.Output<float>(0).ToArray();
        // end
        Assert.That(result, Is.EqualTo(new float[] { 1, 1, 5, 5 }));
    }

    [Test]
    public void Variables()
    {
        // snippet
        var graph = new Graph();
        Variable total = graph.Variable(Literal.From<float>([0]), "total");
        Tensor x = graph.Placeholder(DType.F32, [], "x");
        Operation add = total.AssignAdd(x);

        using var session = new Session(graph, GraphCompiler.Cpu());
        session.Run([], [(x, 2f)], [add]);
        session.Run([], [(x, 3f)], [add]);
        float sum = session.ValueOf(total).As<float>()[0];
        // end
        Assert.That(sum, Is.EqualTo(5));
    }

    [Test]
    public void Mistakes()
    {
        string message = "";

        // snippet
        var graph = new Graph();
        Tensor a = graph.Placeholder(DType.F32, [2, 3], "a");
        Tensor b = graph.Placeholder(DType.F32, [4, 5], "b");
        try
        {
            a.MatMul(b);
        }
        catch (GraphException e)
        {
            message = e.Message;
        }
        // end
        Assert.That(message, Does.Match("GR[0-9]{4}"));
        Assert.That(message, Does.Contain("FirstGraphGuideTests.cs"));
    }
}
