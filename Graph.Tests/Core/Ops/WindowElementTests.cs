using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

/// <summary>Convolutions and window reductions with attributes drawn at random: the element form is the reference.</summary>
internal sealed class WindowElementTests
{
    [Test]
    public void ConvolutionsOfAnyAttributes([Range(0, 39)] int seed)
    {
        var random = new Random(seed);
        int rank = random.Next(3);
        long featureGroups = random.Next(3) == 0 ? 2 : 1;
        long batchGroups = featureGroups == 1 && random.Next(3) == 0 ? 2 : 1;
        long inputs = random.Next(1, 3);
        long[] sizes = [.. Enumerable.Range(0, rank).Select(_ => (long)random.Next(1, 6))];
        long[] kernel = [.. Enumerable.Range(0, rank).Select(_ => (long)random.Next(1, 4))];
        Axes lhs = Shuffled(random, rank + 2);
        Axes rhs = Shuffled(random, rank + 2);
        Axes result = Shuffled(random, rank + 2);
        var dimensions = new ConvolutionDimensions(
            lhs[0], lhs[1], Axes.From(lhs.Skip(2)), rhs[0], rhs[1], Axes.From(rhs.Skip(2)), result[0], result[1],
            Axes.From(result.Skip(2)));
        Literal x = Noise(Placed(lhs, [2 * batchGroups, inputs * featureGroups, .. sizes]), seed);
        Literal k = Noise(Placed(rhs, [inputs, 2 * featureGroups * batchGroups, .. kernel]), seed + 1);
        WindowDim[] window = [.. kernel.Select(size => Window(random, size))];

        Compare([x, k], (b, p) => b.Convolution(p[0], p[1], dimensions, window, featureGroups, batchGroups));
    }

    [Test]
    public void ReductionsOfAnyWindow([Range(0, 39)] int seed)
    {
        var random = new Random(seed);
        int rank = random.Next(1, 4);
        Literal x = Noise([.. Enumerable.Range(0, rank).Select(_ => (long)random.Next(0, 6))], seed);
        WindowDim[] window = [.. Enumerable.Range(0, rank).Select(_ => Window(random, random.Next(1, 4)))];

        Compare(
            [x, Literal.FromScalar(Scalar.FromDouble(DType.F32, 0.25))],
            (b, p) => b.ReduceWindow(p[0], p[1], window, ElementwiseTable.Add));
    }

    private static void Compare(Literal[] inputs, Func<GraphBuilder, Node[], Node> build)
    {
        var b = new GraphBuilder();
        Node node = build(b, [.. inputs.Select((x, i) => b.Parameter(i, x.Type))]);
        Computation computation = b.Build("case", [node]);

        Literal expected = Evaluator.Evaluate(computation, inputs)[0];

        LiteralAssert.AreClose(ElementForm.Evaluate(node, 0, inputs), expected, 1e-5, 1e-5, Printer.Print(computation));
        Assert.That(Parser.ParseComputation(Printer.Print(computation)), Is.EqualTo(computation));
    }

    private static WindowDim Window(Random random, long size) => new(
        size, random.Next(1, 4), random.Next(-1, 4), random.Next(-1, 4), random.Next(1, 4), random.Next(1, 3), random.Next(2) == 0);

    private static Axes Shuffled(Random random, int count)
    {
        int[] axes = [.. Enumerable.Range(0, count)];
        random.Shuffle(axes);
        return Axes.From(axes);
    }

    private static long[] Placed(Axes places, long[] sizes)
    {
        var shape = new long[sizes.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            shape[places[i]] = sizes[i];
        }
        return shape;
    }
}
