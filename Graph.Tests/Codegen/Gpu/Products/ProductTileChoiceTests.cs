using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>What the model of the machine chooses, for products that networks have.</summary>
internal sealed class ProductTileChoiceTests
{
    private static readonly GpuTarget Hopper = new(90, true);

    // Large products take large tiles; few rows take flat ones; where tiles are too few for the machine, k is cut.
    private static IEnumerable<TestCaseData> HalfPrecision()
    {
        yield return new TestCaseData(1L, 8192L, 8192L, 8192L).Returns("128x256 in 1").SetArgDisplayNames("large");
        yield return new TestCaseData(1L, 512L, 4096L, 4096L).Returns("128x128 in 1").SetArgDisplayNames("a batch of tokens");
        yield return new TestCaseData(1L, 1L, 4096L, 4096L).Returns("16x32 in 1").SetArgDisplayNames("one token");
        yield return new TestCaseData(1L, 16L, 32000L, 4096L).Returns("16x128 in 1").SetArgDisplayNames("a vocabulary");
        yield return new TestCaseData(1L, 128L, 128L, 65536L).Returns("64x64 in 32").SetArgDisplayNames("a gradient of few weights");
        yield return new TestCaseData(192L, 512L, 512L, 64L).Returns("128x256 in 1").SetArgDisplayNames("scores of heads");
        yield return new TestCaseData(1L, 1L, 1024L, 16384L).Returns("16x128 in 16").SetArgDisplayNames("one token, long sums");
        yield return new TestCaseData(1L, 3L, 5L, 7L).Returns("16x32 in 1").SetArgDisplayNames("tiny");
    }

    [TestCaseSource(nameof(HalfPrecision))]
    public string ChoosesForHalfPrecision(long batch, long rows, long columns, long depth) => Describe(ProductTileChoice.Choose(
        new ProductSizes(batch, rows, columns, depth, 2, 4), KFragmentShape.Half(DType.BF16), Hopper));

    [Test]
    public void OnlyWhatTensorCoresRoundIsCut()
    {
        var few = new ProductSizes(1, 8, 64, 65536, 4, 4);
        Assert.That(ProductTileChoice.Choose(few, null, Hopper).Parts, Is.EqualTo(1));
        Assert.That(ProductTileChoice.Choose(few, KFragmentShape.TensorFloat32, Hopper).Parts, Is.GreaterThan(1));
        Assert.That(ProductTileChoice.Choose(few, KFragmentShape.TensorFloat32, Hopper with { CutsSums = false }).Parts, Is.EqualTo(1));
        var doubles = new ProductSizes(1, 8, 64, 65536, 8, 8);
        Assert.That(ProductTileChoice.Choose(doubles, KFragmentShape.Double, Hopper).Parts, Is.EqualTo(1));
        var bytes = new ProductSizes(1, 8, 64, 65536, 1, 4);
        Assert.That(
            ProductTileChoice.Choose(bytes, KFragmentShape.Bytes(DType.I8, DType.I8), Hopper with { CutsSums = false }).Parts,
            Is.GreaterThan(1));
    }

    // As nearly all models for images are exported.
    [Test]
    public void AConvolutionOfAnyBatchHasTheTilesOfOne()
    {
        ProductTile one = Tile(1);

        Assert.That(Tile(Dim.Symbol("batch")), Is.EqualTo(one));
        Assert.That(one.Rows * one.Columns, Is.GreaterThanOrEqualTo(64 * 64));

        static ProductTile Tile(Dim batch) => new PlannedProduct(
            CompiledModule.Build(b =>
            {
                var window = new WindowDim(3, 1);
                Node x = b.Parameter(0, new TensorType(DType.F32, Shape.From([batch, 182, 182, 128])));
                Node w = b.Parameter(1, new TensorType(DType.F32, Shape.Of(3, 3, 128, 128)));
                return [b.Add(new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, DType.F32), x, w)];
            }),
            target: new GpuTarget(90, true)).Plan.Tile;
    }

    // Eight tiles more than multiprocessors would run alone; shared out evenly they take a little of everybody's time.
    [Test]
    public void TilesAreSharedOutWhereTheLastRoundWouldBeNearlyEmpty()
    {
        var sizes = new ProductSizes(1, 1280, 3584, 8192, 2, 4) { MayStream = true };
        KFragmentShape shape = KFragmentShape.Half(DType.BF16);
        ProductPlan streamed = ProductTileChoice.Choose(sizes, shape, Hopper);
        Assert.That(streamed.Streams, Is.GreaterThanOrEqualTo(Hopper.Multiprocessors), streamed.ToString());
        Assert.That(streamed.Parts, Is.EqualTo(1));
        Assert.That(ProductTileChoice.Choose(sizes with { MayStream = false }, shape, Hopper).Streams, Is.Zero);
        Assert.That(ProductTileChoice.Choose(sizes, shape, Hopper with { CutsSums = false }).Streams, Is.Zero);
        Assert.That(ProductTileChoice.Choose(sizes, null, Hopper).Streams, Is.Zero, "what is exact in the order of k stays so");
        var fits = new ProductSizes(1, 8192, 8192, 8192, 2, 4) { MayStream = true };
        Assert.That(ProductTileChoice.Choose(fits, shape, Hopper).Streams, Is.Zero, "many rounds need no help");
    }

    [TestCase(80)]
    [TestCase(86)]
    [TestCase(90)]
    public void EveryChoiceFitsTheMachine(int architecture)
    {
        var gpu = new GpuTarget(architecture);
        foreach (long rows in new long[] { 1, 8, 100, 1000, 10000 })
        {
            foreach (long columns in new long[] { 1, 24, 300, 4096 })
            {
                foreach (KFragmentShape? shape in new[] { null, KFragmentShape.Half(DType.F16), KFragmentShape.Double })
                {
                    int size = shape is null ? 4 : shape.Left.SizeInBytes();
                    ProductPlan plan = ProductTileChoice.Choose(
                        new ProductSizes(1, rows, columns, 1024, size, shape?.Sum.SizeInBytes() ?? 4), shape, gpu);
                    Assert.That(plan.Tile.RingBytes(size), Is.LessThanOrEqualTo(gpu.SharedBytesPerTask));
                    Assert.That(plan.Tile.Threads, Is.LessThanOrEqualTo(KThreads.Most));
                }
            }
        }
    }

    private static string Describe(ProductPlan plan) => $"{plan.Tile.Rows}x{plan.Tile.Columns} in {plan.Parts}";
}
