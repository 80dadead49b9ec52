using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Every size of tile that may be chosen is right, in every type and order, also where it is more than
/// the whole product.
/// </summary>
internal sealed class GpuProductTileTests
{
    private static IEnumerable<TestCaseData> Fragments =>
        from type in new[] { DType.BF16, DType.I8, DType.F64, DType.F32 }
        from tile in ProductTileChoice.Tiles(isFragments: true, type.SizeInBytes())
        select new TestCaseData(type, tile).SetArgDisplayNames(type.Name(), $"{tile.Rows}x{tile.Columns}");

    private static IEnumerable<TestCaseData> Lanes =>
        from type in new[] { DType.F32, DType.F16, DType.F64, DType.I16 }
        from tile in ProductTileChoice.Tiles(isFragments: false, type.SizeInBytes())
        select new TestCaseData(type, tile).SetArgDisplayNames(type.Name(), $"{tile.Rows}x{tile.Columns}");

    [TestCaseSource(nameof(Fragments))]
    public void FragmentsAreRight(DType type, ProductTile tile) => Check(type, ProductUnit.Fragments, tile, new GpuTarget(90, true)
    {
        AllowsTensorFloat32 = true,
    });

    [TestCaseSource(nameof(Lanes))]
    public void LanesAreRight(DType type, ProductTile tile) => Check(type, ProductUnit.Lanes, tile, new GpuTarget(70));

    // Sixteen bytes of results are more columns than such a tile has. It is chosen for 16 columns and a thousand rows.
    [Test]
    public void BytesOfNarrowTilesAreAllStored()
    {
        ProductTile[] narrow = [.. ProductTileChoice.Tiles(isFragments: false, 1).Where(t => t.Columns < CopyForm.MostBytes)];
        Assert.That(narrow, Is.Not.Empty);
        foreach (ProductTile tile in narrow)
        {
            Module module = GpuDotTests.Dot(DType.I8, DType.I8, "nn", tile.Rows + 8, 48, 32);
            Literal[] arguments = GpuDotTests.Arguments(module, 12);
            var product = new PlannedProduct(module, new ProductPlan(ProductUnit.Lanes, tile));
            LiteralAssert.AreEqual(product.Run(arguments)[0], Reference(module, arguments), $"{tile.Rows}x{tile.Columns}");
        }
    }

    private static void Check(DType type, ProductUnit unit, ProductTile tile, GpuTarget gpu)
    {
        foreach (string order in new[] { "nn", "tt" })
        {
            (int rows, int depth, int columns) = (tile.Rows + 8, (2 * tile.Depth) + 16, Math.Min(tile.Columns, 64) + 8);
            DType result = type == DType.I8 ? DType.I32 : type;
            Module module = GpuDotTests.Dot(type, result, order, rows, depth, columns);
            Literal[] arguments = GpuDotTests.Arguments(module, 11);
            Literal actual = new PlannedProduct(module, new ProductPlan(unit, tile), gpu).Run(arguments)[0];
            double bound = unit == ProductUnit.Fragments && type == DType.F32
                ? 4 * Math.Sqrt(depth) * Math.ScaleB(1, -10)
                : ProductNoise.Bound(type == DType.F64 ? DType.F64 : DType.F32, result, depth);
            LiteralAssert.AreClose(actual, Reference(module, arguments), 0, bound, order);
        }
    }

    // The processor's kernel, for it is faster than the reference and was compared with it elsewhere.
    private static Literal Reference(Module module, Literal[] arguments) => CompiledModule.Run(module, arguments)[0];
}
