using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class PoolingTests
{
    private static readonly Literal X = F32([1, 1, 4, 4], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);

    [Test]
    public void MaximaAndMeansOfWindows()
    {
        var options = new PoolingOptions([2, 2]) { Strides = [2, 2] };

        Assert.Multiple(() =>
        {
            Assert.That(Floats(b => b.MaxPool(b.Constant(X), options)), Is.EqualTo(new float[] { 6, 8, 14, 16 }));
            Assert.That(Floats(b => b.AveragePool(b.Constant(X), options)), Is.EqualTo(new float[] { 3.5f, 5.5f, 11.5f, 13.5f }));
        });
        CompositeAssert.Elements(
            b => b.LpPool(b.Constant(X), options), [Norm(1, 2, 5, 6), Norm(3, 4, 7, 8), Norm(9, 10, 13, 14), Norm(11, 12, 15, 16)]);
    }

    [TestCase(false, 3.5f, 4f, 5.5f)]
    [TestCase(true, 14 / 9f, 24 / 9f, 33 / 9f)]
    public void PaddingCountsOnlyWhenAsked(bool counts, float first, float second, float fourth)
    {
        var options = new PoolingOptions([3, 3]) { PadLow = [1, 1], PadHigh = [1, 1], CountIncludesPadding = counts };

        float[] y = Floats(b => b.AveragePool(b.Constant(X), options));

        Assert.That(new[] { y[0], y[1], y[4] }, Is.EqualTo(new[] { first, second, fourth }).Within(1e-5));
    }

    // Five elements, windows of 2 every 2: ceil mode adds a last window of one element.
    [Test]
    public void CeilModeAddsThePartialWindow()
    {
        Literal x = F32([1, 1, 5], 1, 2, 3, 4, 5);
        var floor = new PoolingOptions([2]) { Strides = [2] };
        PoolingOptions ceil = floor with { CeilMode = true };

        Assert.Multiple(() =>
        {
            Assert.That(Floats(b => b.MaxPool(b.Constant(x), floor)), Is.EqualTo(new float[] { 2, 4 }));
            Assert.That(Floats(b => b.MaxPool(b.Constant(x), ceil)), Is.EqualTo(new float[] { 2, 4, 5 }));
            Assert.That(Floats(b => b.AveragePool(b.Constant(x), ceil)), Is.EqualTo(new float[] { 1.5f, 3.5f, 5 }));
            Assert.That(
                Floats(b => b.AveragePool(b.Constant(x), ceil with { CountIncludesPadding = true })),
                Is.EqualTo(new float[] { 1.5f, 3.5f, 5 }), "what ceil mode adds is not padding");
        });
    }

    [Test]
    public void CeilModeNeverAddsAWindowOfPaddingOnly()
    {
        Literal x = F32([1, 1, 4], 1, 2, 3, 4);
        var options = new PoolingOptions([1]) { Strides = [3], PadHigh = [2], CeilMode = true };

        Assert.That(Floats(b => b.MaxPool(b.Constant(x), options)), Is.EqualTo(new float[] { 1, 4 }));
    }

    [TestCase(PaddingMode.SameUpper, new float[] { 3, 5, 5 })]
    [TestCase(PaddingMode.SameLower, new float[] { 1, 3, 5 })]
    [TestCase(PaddingMode.Valid, new float[] { 3, 5 })]
    public void SamePaddingGivesOneResultPerStride(PaddingMode mode, float[] expected)
    {
        Literal x = F32([1, 1, 5], 1, 2, 3, 4, 5);
        var options = new PoolingOptions([mode == PaddingMode.Valid ? 3 : 2]) { Strides = [2], Padding = mode };
        float[] y = Floats(b => b.MaxPool(b.Constant(x), options));

        Assert.That(y, Is.EqualTo(mode == PaddingMode.SameUpper ? [2, 4, 5] : expected));
    }

    [Test]
    public void PositionsAreRowMajorOverTheWholeInput()
    {
        var options = new PoolingOptions([2, 2]) { Strides = [2, 2] };
        Literal x = Noise([2, 3, 4, 4], 9);

        Literal[] y = All(b =>
        {
            (Node values, Node positions) = b.MaxPoolWithPositions(b.Constant(x), options);
            return [values, positions];
        });

        Assert.That(y[1].As<long>().ToArray().Select(p => x[p].AsDouble), Is.EqualTo(y[0].ToDoubles()));
        Literal transposed = All(b =>
        {
            (Node values, Node positions) = b.MaxPoolWithPositions(b.Constant(X), options, columnMajor: true);
            return [positions];
        })[0];
        Assert.That(transposed.As<long>().ToArray(), Is.EqualTo(new long[] { 5, 13, 7, 15 }));
    }

    [Test]
    public void GlobalPoolingsKeepSpatialDimensionsOfSizeOne()
    {
        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.GlobalAveragePool(b.Constant(X))).Shape, Is.EqualTo(Shape.Of(1, 1, 1, 1)));
            Assert.That(Floats(b => b.GlobalAveragePool(b.Constant(X))), Is.EqualTo(new[] { 8.5f }));
            Assert.That(Floats(b => b.GlobalMaxPool(b.Constant(X), channelsLast: true)), Is.EqualTo(new float[] { 13, 14, 15, 16 }));
        });
        CompositeAssert.Elements(b => b.GlobalLpPool(b.Constant(X), 3), [Math.Pow(X.ToDoubles().Sum(v => v * v * v), 1 / 3.0)]);
    }

    [TestCase(3)]
    [TestCase(4)]
    public void LocalResponseNormLooksAtNeighbouringFeatures(int size)
    {
        Literal x = Noise([2, 7, 3], 4);

        CompositeAssert.Elements(
            b => b.LocalResponseNorm(b.Constant(x), size, 0.5, 0.75, 2),
            IndexSpace.Of([2, 7, 3]).Select(at =>
            {
                long low = Math.Max(0, at[1] - ((size - 1) / 2));
                long high = Math.Min(6, at[1] + (size / 2));
                double sum = 0;
                for (long c = low; c <= high; c++)
                {
                    sum += Math.Pow(x[[at[0], c, at[2]]].AsDouble, 2);
                }
                return x[at].AsDouble / Math.Pow(2 + (0.5 / size * sum), 0.75);
            }));
    }

    [Test]
    public void SymbolicSizesPoolInEveryMode()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("batch"), 3, Dim.Symbol("h", 8, 99), Dim.Symbol("w", 8, 99)]));

        Node y = b.AveragePool(x, new PoolingOptions([3, 3]) { Strides = [2, 2], Padding = PaddingMode.SameUpper });

        Assert.That(y.Shape.ToString(), Is.EqualTo("[batch,3,floordiv(h+1,2),floordiv(w+1,2)]"));
    }

    private static double Norm(params double[] v) => Math.Sqrt(v.Sum(e => e * e));
}
