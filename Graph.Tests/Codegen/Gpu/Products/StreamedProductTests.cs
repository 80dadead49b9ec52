using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Products whose tiles times k are shared out evenly among tasks: every type, tails, and cuts of tiles in all ways.</summary>
internal sealed class StreamedProductTests
{
    private static readonly GpuTarget Gpu = new(90, true);

    // Tasks that end inside of tiles, that have several tiles, and of which several share one tile.
    private static readonly int[] Tasks = [2, 5, 7, 16];

    [TestCase(DType.BF16, "nn")]
    [TestCase(DType.F16, "tt")]
    [TestCase(DType.I8, "nn")]
    [TestCase(DType.U8, "tn")]
    [TestCase(DType.F64, "nt")]
    public void FragmentsAreJoined(DType type, string order) => Check(type, order, ProductUnit.Fragments, Gpu);

    [TestCase("nn")]
    [TestCase("tt")]
    public void TensorFloat32IsJoined(string order) =>
        Check(DType.F32, order, ProductUnit.Fragments, Gpu with { AllowsTensorFloat32 = true });

    [TestCase(DType.F32, "nn")]
    [TestCase(DType.F64, "tt")]
    [TestCase(DType.F16, "nt")]
    [TestCase(DType.I16, "nn")]
    [TestCase(DType.I32, "tn")]
    [TestCase(DType.I64, "nn")]
    [TestCase(DType.U32, "nt")]
    public void LanesAreJoined(DType type, string order) => Check(type, order, ProductUnit.Lanes, new GpuTarget(70));

    [Test]
    public void EpiloguesAndBatchesAreThoseOfWholeTiles()
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.BF16, Shape.Of(3, 37, 200)));
            Node y = b.Parameter(1, new TensorType(DType.BF16, Shape.Of(3, 200, 70)));
            Node bias = b.Parameter(2, new TensorType(DType.F32, Shape.Of(70)));
            Node residual = b.Parameter(3, new TensorType(DType.BF16, Shape.Of(3, 37, 70)));
            Node sum = b.DotGeneral(x, y, [0], [0], [2], [1], DType.F32);
            Node active = b.Maximum(b.Add(sum, b.BroadcastInDim(bias, sum.Shape, [2])), b.Splat(DType.F32, sum.Shape, 0));
            return [b.Add(b.Convert(active, DType.BF16), residual)];
        });
        AssertEqualsReference(module, DType.BF16, depth: 200, seed: 21);
    }

    [Test]
    public void ConvolutionsAreJoined()
    {
        Module module = CompiledModule.Build(b =>
        [
            b.Add(
                new ConvolutionOp(
                    ConvolutionDimensions.ChannelsLast(2), [new WindowDim(3, 2, 1, 1), new WindowDim(3, 2, 1, 1)], 1, 1, DType.F16),
                b.Parameter(0, new TensorType(DType.F16, Shape.Of(2, 9, 11, 24))),
                b.Parameter(1, new TensorType(DType.F16, Shape.Of(3, 3, 24, 40)))),
        ]);
        AssertEqualsReference(module, DType.F16, depth: 216, seed: 31);
    }

    [Test]
    public void BitsAreThoseOfTheShapeAndTheNumberOfTasks()
    {
        Module module = GpuDotTests.Dot(DType.F16, DType.F32, "nn", 40, 700, 50);
        Literal[] arguments = GpuDotTests.Arguments(module, 41);
        ProductPlan plan = Plan(ProductUnit.Fragments, DType.F16, 5);
        LiteralAssert.AreEqual(new PlannedProduct(module, plan).Run(arguments)[0], new PlannedProduct(module, plan).Run(arguments)[0]);
    }

    [Test]
    public void MoreTasksThanUnitsAreRefused()
    {
        Module module = GpuDotTests.Dot(DType.F16, DType.F32, "nn", 16, 64, 32);
        Assert.That(
            () => new PlannedProduct(module, Plan(ProductUnit.Fragments, DType.F16, 2)),
            Throws.TypeOf<CompilerBugException>().With.Message.Contains("1 units"));
    }

    private static void AssertEqualsReference(Module module, DType type, int depth, int seed)
    {
        Literal[] arguments = GpuDotTests.Arguments(module, seed);
        Literal expected = Evaluator.Evaluate(module.Entry, arguments)[0];
        double bound = ProductNoise.Bound(DType.F32, type, depth);
        foreach (int tasks in Tasks)
        {
            var product = new PlannedProduct(module, Plan(ProductUnit.Fragments, type, tasks));
            LiteralAssert.AreClose(product.Run(arguments)[0], expected, 0, bound, $"{tasks} tasks");
        }
    }

    private static void Check(DType type, string order, ProductUnit unit, GpuTarget gpu)
    {
        foreach ((int rows, int depth, int columns) in new[] { (37, 130, 40), (16, 515, 32), (33, 70, 33) })
        {
            DType result = type is DType.I8 or DType.U8 ? DType.I32 : type;
            Module module = GpuDotTests.Dot(type, result, order, rows, depth, columns);
            Literal[] arguments = GpuDotTests.Arguments(module, 11);
            Literal expected = Evaluator.Evaluate(module.Entry, arguments)[0];
            double bound = unit == ProductUnit.Fragments && type == DType.F32
                ? 4 * Math.Sqrt(depth) * Math.ScaleB(1, -10)
                : ProductNoise.Bound(type == DType.F64 ? DType.F64 : DType.F32, result, depth);
            foreach (int tasks in Tasks)
            {
                ProductPlan plan = Plan(unit, type, tasks);
                long tiles = DimMath.CeilDiv(rows, plan.Tile.Rows) * DimMath.CeilDiv(columns, plan.Tile.Columns);
                if (DimMath.CeilDiv(depth, plan.Tile.Depth) * tiles < tasks)
                {
                    continue;
                }
                var product = new PlannedProduct(module, plan, gpu);
                Assert.That(product.Kernels, Has.Count.EqualTo(2));
                LiteralAssert.AreClose(product.Run(arguments)[0], expected, 0, bound, $"{rows}x{depth}x{columns}, {tasks} tasks");
            }
        }
    }

    private static ProductPlan Plan(ProductUnit unit, DType type, int tasks) => unit == ProductUnit.Fragments
        ? new ProductPlan(unit, new ProductTile(16, 32, 128 / type.SizeInBytes(), 1, 2, 3), 1, tasks)
        : new ProductPlan(unit, new ProductTile(32, 32, 64 / type.SizeInBytes(), 2, 1, 3), 1, tasks);
}
