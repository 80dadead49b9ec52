using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

internal sealed class ConvolutionTests
{
    private static readonly ConvolutionDimensions Nchw = ConvolutionDimensions.ChannelsFirst(2);
    private static readonly ConvolutionDimensions Nhwc = ConvolutionDimensions.ChannelsLast(2);

    [Test]
    public void TheSpecificationsExampleHolds()
    {
        Literal x = F32([1, 4, 4, 1], 1, 2, 5, 6, 3, 4, 7, 8, 10, 11, 14, 15, 12, 13, 16, 17);
        Literal k = F32([3, 3, 1, 1], 1, 1, 1, 1, 1, 1, 1, 1, 1);
        var d = new WindowDim(3, Stride: 4, BaseDilation: 2);

        Literal y = One(b => b.Convolution(b.Constant(x), b.Constant(k), Nhwc, [d, d]));

        Assert.That(y.Shape, Is.EqualTo(Shape.Of(1, 2, 2, 1)));
        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 10, 26, 46, 62 }));
    }

    [Test]
    public void AKernelOfNoSpatialDimensionsIsAMatrixProduct()
    {
        Literal x = Ramp([2, 3]);
        Literal k = Ramp([4, 3]);

        Assert.That(
            Floats(b => b.Convolution(b.Constant(x), b.Constant(k), ConvolutionDimensions.ChannelsFirst(0), [])),
            Is.EqualTo(Floats(b => b.DotGeneral(b.Constant(x), b.Constant(k), [], [], [1], [1]))));
    }

    [Test]
    public void PaddingAddsZerosAndNegativePaddingCuts()
    {
        Literal x = F32([1, 1, 4], 1, 2, 3, 4);
        Literal k = F32([1, 1, 2], 10, 1);
        ConvolutionDimensions d = ConvolutionDimensions.ChannelsFirst(1);

        Assert.Multiple(() =>
        {
            Assert.That(
                Floats(b => b.Convolution(b.Constant(x), b.Constant(k), d, [new WindowDim(2, Low: 1, High: 1)])),
                Is.EqualTo(new float[] { 1, 12, 23, 34, 40 }));
            Assert.That(
                Floats(b => b.Convolution(b.Constant(x), b.Constant(k), d, [new WindowDim(2, Low: -1, High: 1)])),
                Is.EqualTo(new float[] { 23, 34, 40 }));
            Assert.That(
                Floats(b => b.Convolution(b.Constant(x), b.Constant(k), d, [new WindowDim(2, Low: 1, High: 1, Reversed: true)])),
                Is.EqualTo(new float[] { 10, 21, 32, 43, 4 }));
            Assert.That(
                Floats(b => b.Convolution(b.Constant(x), b.Constant(k), d, [new WindowDim(2, Dilation: 3)])),
                Is.EqualTo(new float[] { 14 }));
        });
    }

    // A transposed convolution scatters each input element times the kernel; here that is written down directly.
    [Test]
    public void ABaseDilationTransposes()
    {
        Literal x = F32([1, 1, 3], 1, 2, 3);
        Literal k = F32([1, 1, 3], 100, 10, 1);
        var expected = new float[7];
        for (int i = 0; i < 3; i++)
        {
            for (int j = 0; j < 3; j++)
            {
                expected[(2 * i) + j] += x.As<float>()[i] * k.As<float>()[j];
            }
        }

        var window = new WindowDim(3, Low: 2, High: 2, BaseDilation: 2, Reversed: true);

        Assert.That(
            Floats(b => b.Convolution(b.Constant(x), b.Constant(k), ConvolutionDimensions.ChannelsFirst(1), [window])),
            Is.EqualTo(expected));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void FeatureGroupsAreConvolutionsOfSlices(int groups)
    {
        Literal x = Noise([2, 4, 5, 3], 1);
        Literal k = Noise([8, 4 / groups, 2, 2], 2);
        Literal y = One(b => b.Convolution(b.Constant(x), b.Constant(k), Nchw, [WindowDim.Identity, WindowDim.Identity], groups));
        Assert.That(y.Shape, Is.EqualTo(Shape.Of(2, 8, 4, 2)));
        foreach (long[] at in IndexSpace.Of(y.Shape.ToStatic()))
        {
            double sum = 0;
            long group = at[1] / (8 / groups);
            foreach (long[] i in IndexSpace.Of([4 / groups, 2, 2]))
            {
                sum += x[[at[0], (group * (4 / groups)) + i[0], at[2] + i[1], at[3] + i[2]]].AsDouble *
                    k[[at[1], i[0], i[1], i[2]]].AsDouble;
            }
            Assert.That(y[at].AsDouble, Is.EqualTo(sum).Within(1e-5));
        }
    }

    [Test]
    public void BatchGroupsPairTheBatchWithOutputFeatures()
    {
        Literal x = Noise([4, 3, 2], 1);
        Literal k = Noise([6, 3, 2], 2);
        Literal y = One(b => b.Convolution(
            b.Constant(x), b.Constant(k), ConvolutionDimensions.ChannelsFirst(1), [WindowDim.Identity], batchGroups: 2));
        Assert.That(y.Shape, Is.EqualTo(Shape.Of(2, 6, 1)));
        foreach (long[] at in IndexSpace.Of(y.Shape.ToStatic()))
        {
            double sum = 0;
            foreach (long[] i in IndexSpace.Of([3, 2]))
            {
                sum += x[[((at[1] / 3) * 2) + at[0], i[0], i[1]]].AsDouble * k[[at[1], i[0], i[1]]].AsDouble;
            }
            Assert.That(y[at].AsDouble, Is.EqualTo(sum).Within(1e-5));
        }
    }

    [Test]
    public void IntegersWrapInTheResultType()
    {
        Literal x = Literal.From<sbyte>([100, 100], 1, 2);
        ConvolutionDimensions d = ConvolutionDimensions.ChannelsFirst(0);

        Assert.Multiple(() =>
        {
            Assert.That(One(b => b.Convolution(b.Constant(x), b.Constant(x), d, []))[0].AsInteger, Is.EqualTo((Int128)32));
            Assert.That(
                One(b => b.Convolution(b.Constant(x), b.Constant(x), d, [], resultType: DType.I32))[0].AsInteger,
                Is.EqualTo((Int128)20000));
        });
    }

    [Test]
    public void SymbolicSizesAreCarriedThrough()
    {
        Dim batch = Dim.Symbol("batch");
        Dim height = Dim.Symbol("h", 8, 512);
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [batch, 3, height, 32]));
        Node k = b.Parameter(1, new TensorType(DType.F32, Shape.Of(16, 3, 3, 3)));
        var d = new WindowDim(3, Stride: 2, Low: 1, High: 1);

        Assert.That(b.Convolution(x, k, Nchw, [d, d]).Shape.ToString(), Is.EqualTo("[batch,16,floordiv(h+1,2),16]"));
    }

    [TestCase("[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]")]
    [TestCase("[b, 1, 0, f]x[0, 1, i, o]->[f, 0, 1, b]")]
    [TestCase("[f, b]x[i, o]->[b, f]")]
    public void DimensionNumbersReadBack(string text) =>
        Assert.That(ConvolutionDimensions.TryParse(text)?.ToString(), Is.EqualTo(text));

    [TestCase("[b, f, 0]x[o, i]->[b, f, 0]")]
    [TestCase("[b, f, 1]x[o, i, 0]->[b, f, 0]")]
    [TestCase("[b, b]x[o, i]->[b, f]")]
    [TestCase("[b]x[o, i]->[b, f]")]
    [TestCase("b, f")]
    [TestCase("")]
    public void BrokenDimensionNumbersAreRefused(string text) => Assert.That(ConvolutionDimensions.TryParse(text), Is.Null);

    [Test]
    public void AKernelForOtherFeaturesIsRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(1, 4, 5, 5)));
        Node k = b.Parameter(1, new TensorType(DType.F32, Shape.Of(8, 3, 2, 2)));

        GraphException error = Assert.Throws<GraphException>(
            () => b.Convolution(x, k, Nchw, [WindowDim.Identity, WindowDim.Identity]))!;

        Assert.That(error.Message, Does.StartWith(
            "GR1302 convolution: the input f32[1,4,5,5] has 4 features, the kernel f32[8,3,2,2] takes 3 in each of 1 groups"));
    }
}
