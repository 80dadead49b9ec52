using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class ResizeTests
{
    private static readonly Literal Line = F32([6], 1, 4, 2, 8, 5, 7);

    [Test]
    public void EveryModeFollowsTheFormulas(
        [Values] ResizeMode mode, [Values] CoordinateMode coordinates, [Values(3, 6, 7, 12, 1)] int size)
    {
        var plain = new ResizeOptions(mode) { Coordinates = coordinates, ExtrapolationValue = 100 };
        IEnumerable<ResizeOptions> variants = mode == ResizeMode.Nearest
            ? Enum.GetValues<NearestMode>().Select(nearest => plain with { Nearest = nearest })
            : [plain, plain with { ExcludeOutside = true }];
        foreach (ResizeOptions options in variants)
        {
            var axis = new ResizeAxis(0, size, RegionStart: 0.1, RegionEnd: 1.2);
            CompositeAssert.Elements(
                b => b.Resize(b.Constant(Line), [axis], options),
                Enumerable.Range(0, size).Select(x => Plain(Line.ToDoubles(), x, size, options)));
        }
    }

    [TestCase(ResizeMode.Linear, 3)]
    [TestCase(ResizeMode.Linear, 2)]
    [TestCase(ResizeMode.Cubic, 3)]
    [TestCase(ResizeMode.Cubic, 4)]
    public void AntialiasingWidensTheKernel(ResizeMode mode, int size)
    {
        var options = new ResizeOptions(mode) { Antialias = true };

        CompositeAssert.Elements(
            b => b.Resize(b.Constant(Line), [new ResizeAxis(0, size)], options),
            Enumerable.Range(0, size).Select(x => Antialiased(Line.ToDoubles(), x, size, mode)));
    }

    [Test]
    public void AxesAreResizedOneAfterTheOther()
    {
        Literal x = Noise([2, 1, 3, 4], 1);
        var options = new ResizeOptions(ResizeMode.Linear);

        Literal y = One(b => b.Resize(b.Constant(x), [new ResizeAxis(2, 5), new ResizeAxis(3, 7)], options));

        Assert.That(y.Shape, Is.EqualTo(Shape.Of(2, 1, 5, 7)));
        CompositeAssert.Elements(y, IndexSpace.Of([2, 1, 5, 7]).Select(at =>
        {
            double[] rows = [.. Enumerable.Range(0, 3).Select(h => Plain(
                [.. Enumerable.Range(0, 4).Select(w => x[[at[0], 0, h, w]].AsDouble)], at[3], 7, options))];
            return Plain(rows, at[2], 5, options);
        }));
    }

    [Test]
    public void AWholeScaleOfTheNearestElementIsABroadcast()
    {
        var b = new GraphBuilder();
        Dim height = Dim.Symbol("h");
        Node x = b.Parameter(0, new TensorType(DType.U8, [1, 3, height, 4]));

        Node y = b.Resize(
            x, [new ResizeAxis(2, height * 2), new ResizeAxis(3, 8)],
            new ResizeOptions(ResizeMode.Nearest) { Coordinates = CoordinateMode.Asymmetric, Nearest = NearestMode.Floor });

        Assert.That(y.Shape.ToString(), Is.EqualTo("[1,3,2*h,8]"));
        Assert.That(Traversal.PostOrder([y]).Select(n => n.Op.Name), Has.None.EqualTo("gather"));
    }

    [Test]
    public void IntegersAreInterpolatedAndTruncated() => Assert.That(
        One(b => b.Resize(
            b.Constant(Literal.From<byte>([10, 21], 2)), [new ResizeAxis(0, 4)], new ResizeOptions(ResizeMode.Linear)))
            .As<byte>().ToArray(),
        Is.EqualTo(new byte[] { 10, 12, 18, 21 }));

    // One result element of one axis, from the specification's words.
    private static double Plain(double[] data, long x, int size, ResizeOptions options)
    {
        double scale = (double)size / data.Length;
        double at = Position(x, data.Length, size, scale, options.Coordinates);
        if (options.Coordinates == CoordinateMode.TfCropAndResize && (at < 0 || at > data.Length - 1))
        {
            return options.ExtrapolationValue;
        }
        if (options.Mode == ResizeMode.Nearest)
        {
            double nearest = options.Nearest switch
            {
                NearestMode.Floor => Math.Floor(at),
                NearestMode.Ceil => Math.Ceiling(at),
                NearestMode.RoundPreferFloor => Math.Ceiling(at - 0.5),
                _ => Math.Floor(at + 0.5),
            };
            return data[(int)Math.Clamp(nearest, 0, data.Length - 1)];
        }
        int left = (int)Math.Floor(at);
        double ratio = at - left;
        (int First, double[] Weights) taps = options.Mode == ResizeMode.Linear
            ? (0, [1 - ratio, ratio])
            : (-1, [Keys(1 + ratio), Keys(ratio), Keys(1 - ratio), Keys(2 - ratio)]);
        double sum = 0;
        double total = 0;
        for (int i = 0; i < taps.Weights.Length; i++)
        {
            int index = left + taps.First + i;
            bool outside = index < 0 || index >= data.Length;
            double weight = outside && options.ExcludeOutside ? 0 : taps.Weights[i];
            total += weight;
            sum += weight * data[Math.Clamp(index, 0, data.Length - 1)];
        }
        return options.ExcludeOutside ? sum / total : sum;
    }

    private static double Position(long x, int input, int size, double scale, CoordinateMode mode) => mode switch
    {
        CoordinateMode.AlignCorners => size == 1 ? 0 : x * (input - 1.0) / (size - 1),
        CoordinateMode.Asymmetric => x / scale,
        CoordinateMode.TfHalfPixelForNearest => (x + 0.5) / scale,
        CoordinateMode.PytorchHalfPixel => size == 1 ? -0.5 : ((x + 0.5) / scale) - 0.5,
        CoordinateMode.TfCropAndResize => size == 1
            ? (0.1 * (input - 1)) + ((1.2 - 0.1) * (input - 1) / 2)
            : (0.1 * (input - 1)) + (x * ((1.2 - 0.1) * (input - 1)) / (size - 1)),
        _ => ((x + 0.5) / scale) - 0.5,
    };

    private static double Antialiased(double[] data, int x, int size, ResizeMode mode)
    {
        double scale = (double)size / data.Length;
        double at = ((x + 0.5) / scale) - 0.5;
        double sum = 0;
        double total = 0;
        for (int i = -40; i < 40; i++)
        {
            double distance = Math.Abs(at - i) * scale;
            double weight = mode == ResizeMode.Linear ? Math.Max(0, 1 - distance) : Keys(distance);
            total += weight;
            sum += weight * data[Math.Clamp(i, 0, data.Length - 1)];
        }
        return sum / total;
    }

    private static double Keys(double d)
    {
        const double A = -0.75;
        return d <= 1 ? ((A + 2) * d * d * d) - ((A + 3) * d * d) + 1
            : d < 2 ? (A * d * d * d) - (5 * A * d * d) + (8 * A * d) - (4 * A)
            : 0;
    }
}
