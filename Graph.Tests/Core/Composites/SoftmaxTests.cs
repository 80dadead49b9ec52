using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class SoftmaxTests
{
    [Test]
    public void RowsSumToOneInProportionOfTheirExponentials()
    {
        Literal x = Noise([3, 5], 1);

        CompositeAssert.Elements(
            b => b.Softmax(b.Constant(x)),
            CompositeAssert.Rows(x, row => row.Select(v => Math.Exp(v) / row.Sum(Math.Exp))));
        CompositeAssert.Elements(
            b => b.LogSoftmax(b.Constant(x)),
            CompositeAssert.Rows(x, row => row.Select(v => v - Math.Log(row.Sum(Math.Exp)))));
    }

    [Test]
    public void AnOuterAxisIsTheTransposeOfAnInnerOne()
    {
        Literal x = Noise([3, 5], 1);

        Assert.That(
            One(b => b.Softmax(b.Constant(x), 0)),
            Is.EqualTo(One(b => b.Transpose(b.Softmax(b.Transpose(b.Constant(x), [1, 0]), 1), [1, 0]))));
    }

    [Test]
    public void LargeValuesDoNotOverflow()
    {
        Literal x = F32([4], 1000, 999, -1e30f, float.NegativeInfinity);
        double sum = 1 + Math.Exp(-1);

        CompositeAssert.Elements(b => b.Softmax(b.Constant(x)), [1 / sum, Math.Exp(-1) / sum, 0, 0]);
        CompositeAssert.Elements(b => b.LogSoftmax(b.Constant(F32([2], 1000, 999))), [-Math.Log(sum), -1 - Math.Log(sum)]);
    }

    [Test]
    public void HalfPrecisionIsComputedInSinglePrecision()
    {
        Literal x = Noise([64], 3, DType.F16);
        double[] v = x.ToDoubles();
        double sum = v.Sum(Math.Exp);

        double[] y = One(b => b.Softmax(b.Constant(x))).ToDoubles();

        Assert.That(y, Is.EqualTo(v.Select(e => (double)(Half)(Math.Exp(e) / sum))).Within(1e-5));
    }

    [Test]
    public void HardmaxMarksTheFirstLargest() => Assert.That(
        Floats(b => b.Hardmax(b.Constant(F32([2, 3], 1, 3, 3, 0, -1, -2)))), Is.EqualTo(new float[] { 0, 1, 0, 1, 0, 0 }));

    [Test]
    public void AnAxisOutOfRangeIsRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Constant(F32([2], 1, 2));

        GraphException error = Assert.Throws<GraphException>(() => b.Softmax(x, 1))!;

        Assert.That(error.Message, Is.EqualTo(
            """
            GR1006 softmax: axis 1 is not one of a tensor of rank 1
              at   softmax(f32[2])
              fix  choose one of -1..0
            """));
    }
}
