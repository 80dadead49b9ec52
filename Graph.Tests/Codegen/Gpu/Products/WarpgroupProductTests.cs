using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Products by warpgroups, run by the interpreter, against the reference: all tiles, types and orders, tails,
/// batches, parts of k.
/// </summary>
internal sealed class WarpgroupProductTests
{
    private static readonly GpuTarget Hopper = new(90, true) { AllowsTensorFloat32 = true };

    // Pitches are multiples of 16 bytes in every order; nothing else is even.
    private static readonly (int Rows, int Depth, int Columns)[] Shapes = [(136, 72, 40), (8, 16, 8), (72, 24, 136)];

    private static IEnumerable<TestCaseData> Orders =>
        from type in new[] { DType.F16, DType.BF16 }
        from order in new[] { "nn", "nt", "tn", "tt" }
        select new TestCaseData(type, order).SetArgDisplayNames(type.Name(), order);

    private static IEnumerable<TestCaseData> Tiles =>
        WarpgroupTileChoice.Tiles(2).Select(t => new TestCaseData(t).SetArgDisplayNames($"{t.Rows}x{t.Columns} in {t.Stages}"));

    [TestCaseSource(nameof(Orders))]
    public void EveryOrderEqualsTheReference(DType type, string order)
    {
        foreach ((int rows, int depth, int columns) in Shapes)
        {
            Check(
                GpuDotTests.Dot(type, type, order, rows, depth, columns), Tile(2, 128, 128),
                depth, $"{rows}x{depth}x{columns}",
                Evaluated);
        }
    }

    [TestCaseSource(nameof(Tiles))]
    public void EveryTileEqualsTheReference(ProductTile tile)
    {
        foreach (string order in new[] { "nn", "tt" })
        {
            Check(GpuDotTests.Dot(DType.BF16, DType.F32, order, tile.Rows + 8, 328, tile.Columns + 16), tile, 328, order, Compiled);
        }
    }

    // Bytes and f32 lie in order of k.
    [TestCase(DType.I8, 144, 208, 80)]
    [TestCase(DType.U8, 130, 144, 66)]
    [TestCase(DType.F32, 132, 100, 68)]
    public void OtherTypesEqualTheReference(DType type, int rows, int depth, int columns)
    {
        DType result = type == DType.F32 ? DType.F32 : DType.I32;
        Module module = GpuDotTests.Dot(type, result, "nt", rows, depth, columns);
        // Operands of TF32 err by 2^-11 each.
        double bound = type == DType.F32 ? 4 * Math.Sqrt(depth) * Math.ScaleB(1, -10) : 0;
        Check(module, Tile(type.SizeInBytes(), 128, 64), depth, type.Name(), Compiled, bound);
    }

    [Test]
    public void BatchesAreFurtherDimensions()
    {
        // "bmk,bkn->bmn"; heads between rows and features, as attention has them; and an operand that all numbers of the batch share.
        Module plain = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(DType.BF16, Shape.Of(3, 72, 40))),
                b.Parameter(1, new TensorType(DType.BF16, Shape.Of(3, 40, 80))),
                [0], [0], [2], [1], DType.F32),
        ]);
        Module heads = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(DType.BF16, Shape.Of(2, 70, 3, 64))),
                b.Parameter(1, new TensorType(DType.BF16, Shape.Of(2, 90, 3, 64))),
                [0, 2], [0, 2], [3], [3], DType.F32),
        ]);
        foreach ((Module module, int dimensions) in new[] { (plain, 3), (heads, 4) })
        {
            PlannedProduct product = Check(module, Tile(2, 64, 64), 64, $"{dimensions} dimensions", Compiled);
            Assert.That(product.Kernels[0].Kernel.Maps.Select(m => m.Sizes.Count), Is.All.EqualTo(dimensions));
        }
    }

    [TestCase(2)]
    [TestCase(3)]
    public void PartsOfDepthAreAddedUp(int parts)
    {
        Module module = GpuDotTests.Dot(DType.F16, DType.F32, "nn", 72, 328, 40);
        Literal[] arguments = GpuDotTests.Arguments(module, 3);
        var product = new PlannedProduct(module, new ProductPlan(ProductUnit.Warpgroups, Tile(2, 64, 64), parts), Hopper);
        Assert.That(product.Kernels, Has.Count.EqualTo(2));
        LiteralAssert.AreClose(
            product.Run(arguments)[0], Compiled(module, arguments), 0, ProductNoise.Bound(DType.F32, DType.F32, 328));
    }

    [Test]
    public void EpiloguesStayInTheKernel()
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.BF16, Shape.Of(72, 136)));
            Node w = b.Parameter(1, new TensorType(DType.BF16, Shape.Of(136, 72)));
            Node bias = b.Parameter(2, new TensorType(DType.F32, Shape.Of(72)));
            Node sum = b.DotGeneral(x, w, [], [], [1], [0], DType.F32);
            Node active = b.Maximum(b.Add(sum, b.BroadcastInDim(bias, sum.Shape, [1])), b.Splat(DType.F32, sum.Shape, 0));
            return [b.Add(b.Convert(active, DType.BF16), b.Parameter(3, new TensorType(DType.BF16, Shape.Of(72, 72))))];
        });
        Check(module, Tile(2, 128, 64), 136, "epilogue", Compiled);
    }

    [Test]
    public void SymbolicSizesAreServedByOneKernel()
    {
        Dim rows = Dim.Symbol("rows", 1, 512);
        Module module = GpuDotTests.Dot(DType.BF16, DType.F32, "nn", rows, 72, 80);
        var product = new PlannedProduct(module, new ProductPlan(ProductUnit.Warpgroups, Tile(2, 64, 128)), Hopper);
        foreach (int n in new[] { 1, 64, 65, 130 })
        {
            Literal[] arguments = [ProductNoise.Of(DType.BF16, 8, n, 72), ProductNoise.Of(DType.BF16, 9, 72, 80)];
            Module whole = GpuDotTests.Dot(DType.BF16, DType.F32, "nn", n, 72, 80);
            LiteralAssert.AreClose(
                product.Run(arguments, _ => n)[0], Compiled(whole, arguments), 0, ProductNoise.Bound(DType.F32, DType.F32, 72), $"{n}");
        }
    }

    [Test]
    public void SumsOfNothingAreZero()
    {
        Module module = GpuDotTests.Dot(DType.F16, DType.F32, "nt", 64, Dim.Symbol("k", 0, 64) * 8, 64);
        var product = new PlannedProduct(module, new ProductPlan(ProductUnit.Warpgroups, Tile(2, 64, 64)), Hopper);
        Literal[] arguments = [ProductNoise.Of(DType.F16, 8, 64, 0), ProductNoise.Of(DType.F16, 9, 64, 0)];
        Assert.That(product.Run(arguments, _ => 0)[0].As<float>().ToArray(), Is.All.EqualTo(0f));
    }

    // Memory that copies cannot take boxes of, types that are not multiplied, and machines that have no such instructions.
    [Test]
    public void WhatCannotBeCopiedIsLeftToWarps()
    {
        Assert.Multiple(() =>
        {
            Assert.That(IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, 64, 64)), Is.True);
            Assert.That(IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, 60, 64)), Is.False, "a pitch of 120 bytes");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, 64, 68)), Is.False, "a pitch of 136 bytes");
            Assert.That(
                IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nt", 64, 64, 67)), Is.True,
                "the results' pitch does not matter");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.I8, DType.I32, "nn", 64, 64, 64)), Is.False, "bytes across k");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.F32, DType.F32, "tt", 64, 64, 64)), Is.False, "f32 across k");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.F64, DType.F64, "nt", 64, 64, 64)), Is.False, "f64");
            Assert.That(
                IsPossible(GpuDotTests.Dot(DType.F32, DType.F32, "nt", 64, 64, 64), new GpuTarget(90, true)), Is.False,
                "TF32 unasked");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, 64, 64), new GpuTarget(90)), Is.False, "sm_90");
            Assert.That(
                IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, 64, 64), new GpuTarget(100, true)),
                Is.False, "sm_100a");
            Assert.That(IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, Dim.Symbol("k", 8, 64), 64)), Is.False, "any pitch");
            Assert.That(
                IsPossible(GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 64, Dim.Symbol("k", 1, 64) * 8, 64)), Is.True,
                "pitches of 16 bytes");
        });
    }

    [Test]
    public void LargeProductsAreChosenForWarpgroups()
    {
        ProductPlan large = Choose(8192, 8192, 8192);
        Assert.That(large.Unit, Is.EqualTo(ProductUnit.Warpgroups));
        Assert.That((large.Tile.Rows, large.Tile.Columns, large.Parts), Is.EqualTo((128, 256, 1)));
        Assert.That(Choose(512, 4096, 4096).Unit, Is.EqualTo(ProductUnit.Warpgroups));
        Assert.That(Choose(1, 4096, 4096).Unit, Is.EqualTo(ProductUnit.Fragments), "one row of 64");
    }

    [Test]
    public void AnyChoiceFitsTheMachine()
    {
        foreach (int size in new[] { 1, 2, 4 })
        {
            foreach (ProductTile tile in WarpgroupTileChoice.Tiles(size))
            {
                Module module = GpuDotTests.Dot(
                    size switch { 1 => DType.I8, 2 => DType.F16, _ => DType.F32 }, size == 1 ? DType.I32 : DType.F32, "nt", 512, 512, 512);
                Kernel kernel = new PlannedProduct(module, new ProductPlan(ProductUnit.Warpgroups, tile), Hopper).Kernels[0].Kernel;
                long shared = new SharedMemoryLayout(kernel).SizeInBytes;
                Assert.That(shared * kernel.Threads!.TasksPerMultiprocessor, Is.LessThanOrEqualTo(Hopper.SharedBytesPerTask));
                Assert.That(kernel.Threads.Count, Is.EqualTo(tile.Threads + KThreads.WarpSize));
            }
        }
    }

    internal static ProductTile Tile(int elementBytes, int rows, int columns) =>
        WarpgroupTileChoice.Tiles(elementBytes).First(t => t.Rows == rows && t.Columns == columns);

    private static ProductPlan Choose(int rows, int columns, int depth) =>
        new PlannedProduct(GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", rows, depth, columns), target: Hopper).Plan;

    private static bool IsPossible(Module module, GpuTarget? gpu = null) => WarpgroupRing.IsPossible(
        new PlannedProduct(module, target: new GpuTarget(80) { AllowsTensorFloat32 = true }).Product, gpu ?? Hopper);

    private static Literal Evaluated(Module module, Literal[] arguments) => Evaluator.Evaluate(module.Entry, arguments)[0];

    // The processor's kernel, for it is faster than the reference and was compared with it elsewhere.
    private static Literal Compiled(Module module, Literal[] arguments) => CompiledModule.Run(module, arguments)[0];

    private static PlannedProduct Check(
        Module module, ProductTile tile, int depth, string what, Func<Module, Literal[], Literal> reference, double? bound = null)
    {
        Literal[] arguments = GpuDotTests.Arguments(module, 5);
        var product = new PlannedProduct(module, new ProductPlan(ProductUnit.Warpgroups, tile), Hopper);
        Literal actual = product.Run(arguments)[0];
        LiteralAssert.AreClose(
            actual, reference(module, arguments), 0, bound ?? ProductNoise.Bound(DType.F32, actual.Type.DType, depth), what);
        return product;
    }
}
