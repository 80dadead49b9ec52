using Graphene.Tests.Core.Authoring;
using Graphene.Tests.Core.Gradients;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Vectorization;

/// <summary>A mapped computation gives what the computation gives for each element, whichever operands are mapped.</summary>
internal sealed class VectorizedMapTests
{
    private const int Size = 3;

    private static IEnumerable<GradientCase> Cases => GradientCases.All;

    [TestCaseSource(nameof(Cases))]
    public void MappedIsOneByOne(GradientCase c)
    {
        for (int mapped = 1; mapped < 1 << Math.Min(c.Inputs.Length, 3); mapped++)
        {
            bool[] flags = [.. c.Inputs.Select((_, i) => (mapped >> Math.Min(i, 2) & 1) == 1)];
            Literal[][] elements = [.. Enumerable.Range(0, Size).Select(
                e => c.Inputs.Select((x, i) => flags[i] ? Varied(x, e) : x).ToArray())];
            var one = new GraphBuilder();
            Computation computation = one.Build("one", c.Build(one, [.. c.Inputs.Select((x, i) => one.Parameter(i, x.Type))]));
            (Computation together, bool[] isMapped) =
                VectorizedComputation.Close(computation, flags, Size, null, one.Provenance);
            Literal[] arguments = [.. c.Inputs.Select((x, i) => flags[i] ? Stacked([.. elements.Select(e => e[i])]) : x)];

            Literal[] actual = Evaluator.Evaluate(together, arguments);

            Assert.That(Verifier.Check(together), Is.Empty, $"{c}, mapped {string.Join(",", flags)}");
            Literal[][] expected = [.. elements.Select(e => Evaluator.Evaluate(computation, e))];
            for (int r = 0; r < actual.Length; r++)
            {
                Literal all = isMapped[r] ? Stacked([.. expected.Select(e => e[r])]) : expected[0][r];
                LiteralAssert.AreClose(actual[r], all, 1e-12, 1e-13, $"{c}, mapped {string.Join(",", flags)}");
            }
        }
    }

    [Test]
    public void GradientsOfEachElementOfABatch()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F64, ["batch", 3], "x");
        Variable w = g.Variable(Noise([3, 2], 1, DType.F64), "w");

        Tensor each = g.VectorizedMap(
            row =>
            {
                Tensor weights = w.Read();
                return g.Gradients([row.MatMul(weights).Tanh().ReduceSum()], [weights])[0];
            },
            x);
        Tensor sum = g.Gradients(x.MatMul(w.Read()).Tanh().ReduceSum(), [w])[0];

        Assert.That(each.Shape[0].IsStatic, Is.False);
        Literal[] values = new TestSession(g).Run([each.ReduceSum(0), sum], [(x, Noise([4, 3], 2, DType.F64))]);
        LiteralAssert.AreClose(values[0], values[1], 1e-12, 1e-12);
    }

    [Test]
    public void AnEffectIsRefused()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [3], "x");

        GraphException? error = Assert.Throws<GraphException>(() => g.VectorizedMap(
            p =>
            {
                g.Print("element", [p]);
                return p;
            },
            x));

        Assert.That(error!.Id, Is.EqualTo(DiagnosticId.EffectInMap));
    }

    // Floating elements move a little, whole numbers change places.
    private static Literal Varied(Literal x, int element)
    {
        if (x.DType.IsFloating())
        {
            int next = 0;
            return Literal.Generate(x.Type, _ =>
            {
                double value = x[next++].AsDouble;
                return Scalar.FromDouble(x.DType, value * (1 + (0.1 * element)));
            });
        }
        long position = 0;
        return Literal.Generate(x.Type, _ => x.DType == DType.Bool && element == 1
            ? Scalar.FromBool(!x[position++].AsBool)
            : x[(x.ElementCount - 1 - position++ + element) % Math.Max(1, x.ElementCount)]);
    }

    private static Literal Stacked(Literal[] elements) => new(
        new TensorType(elements[0].DType, [elements.Length, .. elements[0].Shape]),
        elements.SelectMany(e => e.Bytes.ToArray()).ToArray());
}
