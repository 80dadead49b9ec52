using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>What a call costs beside its arithmetic: nothing that the garbage collector would have to know of.</summary>
/// <remarks>The time is measured by <c>tools/bench call-overhead</c>.</remarks>
[TestFixture]
internal sealed class CallCostTests
{
    [TestCase(1, 10_000)]
    [TestCase(2, 1_000)] // helpers come and go with the load of the machine, which can make this case slow
    public void RunsOfAnMlpAllocateNothing(int threads, int runs)
    {
        var options = new SessionOptions { MaxThreads = threads };
        using var session = new Session(Mlp(out Tensor x, out Tensor y), new CompiledModule.Uncached(), options);
        using Callable call = session.MakeCallable([y], [x]);
        float[] image = [.. Enumerable.Range(0, 784).Select(i => (i % 255) / 255f)];
        float[] digits = new float[10];
        void Run() => call.Run<float, float>(image, digits);

        Assert.That(BytesAllocated(Run, runs), Is.EqualTo((0, 0)));
        Assert.That(digits.Sum(), Is.EqualTo(1).Within(1e-5));

        using BoundCall bound = call.Bind([1, 784]);
        image.CopyTo(bound.Input<float>(0));
        Assert.That(BytesAllocated(() => bound.Run(), runs), Is.EqualTo((0, 0)));
        Assert.That(bound.Output<float>(0).ToArray(), Is.EqualTo(digits));
    }

    // On this thread in all, and on any thread in the cheapest of many windows: other threads of the test host allocate now and
    // then, but what a run allocates shows in every window.
    private static (long Here, long Everywhere) BytesAllocated(Action run, int runs)
    {
        const int Windows = 50;
        for (int i = 0; i < 100; i++)
        {
            run();
        }
        long here = GC.GetAllocatedBytesForCurrentThread();
        long everywhere = long.MaxValue;
        for (int window = 0; window < Windows; window++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < runs / Windows; i++)
            {
                run();
            }
            everywhere = Math.Min(everywhere, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return (GC.GetAllocatedBytesForCurrentThread() - here, everywhere);
    }

    // 784-512-512-10, as make_models.py's mlp.
    private static Graph Mlp(out Tensor x, out Tensor y)
    {
        var graph = new Graph();
        Tensor Layer(Tensor input, int from, int to) => input.MatMul(graph.Constant(Literal.From<float>(
            [.. Enumerable.Range(0, from * to).Select(i => MathF.Sin(i) / 16)], from, to)));
        x = graph.Placeholder(DType.F32, ["batch", 784], "x");
        y = Layer(Layer(Layer(x, 784, 512).Relu(), 512, 512).Relu(), 512, 10).Softmax();
        return graph;
    }
}
