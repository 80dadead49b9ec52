using NUnit.Framework;

namespace Graphene.Tests.Core.Gradients;

/// <summary>What the gradient of a loop keeps: no more than a bounded number of states, and none that no derivative reads.</summary>
internal sealed class LoopMemoryTests
{
    private static readonly TensorType State = new(DType.F32, Shape.Of(100));

    [Test]
    public void AnUnknownNumberOfRoundsKeepsABoundedNumberOfStates()
    {
        Computation gradient = Gradient((b, x) => b.While(
            [x, b.Parameter(1, TensorType.Scalar(DType.I32))],
            (c, p) => c.Greater(p[1], c.Constant(DType.I32, 0)),
            (c, p) => [c.Sine(p[0]), c.Subtract(p[1], c.Constant(DType.I32, 1))])[0]);

        Assert.That(Largest(gradient), Is.EqualTo(64 * 100));
    }

    [Test]
    public void AKnownNumberOfRoundsKeepsThatManyStates()
    {
        Computation gradient = Gradient((b, x) => b.Repeat(7, [x], [], (c, _, p, _) => [c.Sine(p[0])])[0]);

        Assert.That(Largest(gradient), Is.EqualTo(7 * 100));
    }

    [Test]
    public void ALinearLoopKeepsNothing()
    {
        Computation gradient = Gradient((b, x) => b.Repeat(7, [x], [], (c, _, p, _) => [c.Multiply(p[0], c.Like(p[0], 2))])[0]);

        Assert.That(Largest(gradient), Is.EqualTo(100));
    }

    [Test]
    public void RowsThatAreWrittenAreNotKept()
    {
        Computation gradient = Gradient((b, x) =>
        {
            Node rows = b.Splat(DType.F32, Shape.Of(9, 100), 0);
            return b.Repeat(9, [x, rows], [], (c, round, p, _) =>
            {
                Node state = c.Sine(p[0]);
                Node row = c.Reshape(state, Shape.Of(1, 100));
                return [state, c.DynamicUpdateSlice(p[1], row, [round, c.Constant(DType.I64, 0)])];
            })[1];
        });

        Assert.That(Largest(gradient), Is.EqualTo(9 * 100), "the states, and the rows themselves, but not rows times rounds");
    }

    private static Computation Gradient(Func<GraphBuilder, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, State);
        Node y = build(b, x);
        return b.Build("gradient", [ReverseMode.Run(b, [y], [b.Like(y, 1)], [x])[0]!]);
    }

    private static long Largest(Computation computation) => computation.PostOrder().Max(n => Math.Max(
        n.Types.Select(t => t.Shape.ElementCount.Value).DefaultIfEmpty().Max(),
        n.Op.Computations.Select(Largest).DefaultIfEmpty().Max()));
}
