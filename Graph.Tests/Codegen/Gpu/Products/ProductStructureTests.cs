using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// What makes products fast where they run: wide copies, no bank conflicts, rings of the stated length, one
/// barrier for each tile.
/// </summary>
internal sealed class ProductStructureTests
{
    // Not sm_90a, where warpgroups would multiply what they can.
    private static readonly GpuTarget Gpu = new(90) { AllowsTensorFloat32 = true };

    private static readonly string[] Orders = ["nn", "nt", "tn", "tt"];

    [TestCase(DType.BF16)]
    [TestCase(DType.F32)]
    [TestCase(DType.F64)]
    public void FragmentsComeWithoutBankConflicts(DType type)
    {
        foreach (string order in Orders)
        {
            AssertNoConflicts(type, order, ProductUnit.Fragments, Gpu);
        }
    }

    // Other orders go through registers, in squares of 4 by 4 bytes that meet in a few banks.
    [Test]
    public void BytesInOrderOfDepthComeWithoutBankConflicts() => AssertNoConflicts(DType.I8, "nt", ProductUnit.Fragments, Gpu);

    [Test]
    public void LanesComeWithoutBankConflicts()
    {
        foreach (string order in Orders)
        {
            AssertNoConflicts(DType.F32, order, ProductUnit.Lanes, new GpuTarget(80));
        }
    }

    private static void AssertNoConflicts(DType type, string order, ProductUnit unit, GpuTarget gpu)
    {
        var conflicts = new List<string>();
        foreach (ProductTile tile in ProductTileChoice.Tiles(unit == ProductUnit.Fragments, type.SizeInBytes()))
        {
            if (type == DType.F64 && tile.SumsPerThread > 64)
            {
                continue; // never chosen: too many registers
            }
            Kernel kernel = KernelOf(type, order, new ProductPlan(unit, tile), gpu);
            bool checksSums = tile.Columns >= 32 && (unit == ProductUnit.Fragments || order != "tt");
            for (int warp = 0; warp < tile.Threads / KThreads.WarpSize; warp++)
            {
                // The sums of narrow tiles are few, and no padding serves both the rows that are written and those that are read. Nor are
                // those of lanes where both operands lie across k, whose rows are 4 apart; that is once for each tile.
                conflicts.AddRange(WarpAddresses.Of(kernel, warp)
                    .Where(a => checksSums || !a.What.EndsWith(" sums", StringComparison.Ordinal))
                    .Select(a => (a.What, Times: WarpAddresses.Conflicts(a.Bytes, a.Addresses))).Where(a => a.Times > 1)
                    .Select(a => $"{order} {tile.Rows}x{tile.Columns}x{tile.Depth}: {a.What} takes {a.Times} times as long"));
            }
        }
        Assert.That(conflicts.Distinct(), Is.Empty);
    }

    [TestCase("nn")]
    [TestCase("nt")]
    [TestCase("tn")]
    [TestCase("tt")]
    public void OperandsOfAlignedPitchesAreCopiedBySixteenBytes(string order)
    {
        Kernel kernel = KernelOf(DType.BF16, order, null, Gpu);
        KAsyncCopy[] copies = [.. All(kernel.Body).OfType<KAsyncCopy>()];
        Assert.That(copies, Is.Not.Empty);
        Assert.That(copies.Select(c => c.Lanes).Distinct(), Is.EqualTo(new[] { 8 }));
        KStore[] results = [.. All(kernel.Body).OfType<KStore>().Where(s => s.Buffer.Space == KBufferSpace.Argument)];
        Assert.That(results.Select(s => (s.Value.Type.Lanes, s.Alignment)), Is.EqualTo(new[] { (8, 8) }));
    }

    // f16 with pitches of 4, 2 and 1 elements: narrower copies, and registers where there are no copies.
    [TestCase(100, 4)]
    [TestCase(98, 2)]
    [TestCase(97, 0)]
    public void OtherPitchesAreCopiedAsWideAsTheyAllow(int size, int lanes)
    {
        Kernel kernel = new PlannedProduct(GpuDotTests.Dot(DType.F16, DType.F16, "nn", 64, size, size), target: Gpu).Kernels[0].Kernel;
        Assert.That(
            All(kernel.Body).OfType<KAsyncCopy>().Select(c => c.Lanes).Distinct(), Is.EqualTo(lanes == 0 ? [] : new[] { lanes }));
    }

    [Test]
    public void RingsHaveTheirStagesAndOneBarrierForEachTile()
    {
        foreach (int stages in new[] { 2, 3, 4 })
        {
            var tile = new ProductTile(64, 64, 32, 2, 2, stages);
            Kernel kernel = KernelOf(DType.BF16, "nn", new ProductPlan(ProductUnit.Fragments, tile), Gpu);
            KFor loop = kernel.Body.Statements.OfType<KFor>().First(f => All(f.Body).OfType<KFragmentDot>().Any());
            KBuffer ring = kernel.Body.Statements.OfType<KScratch>().First().Buffer;
            Assert.That(ring.Length, Is.EqualTo(128 * 32 * stages));
            Assert.That(All(loop.Body).OfType<KBarrier>().Count(), Is.EqualTo(1));
            Assert.That(All(loop.Body).OfType<KAsyncCommit>().Count(), Is.EqualTo(1));
            Assert.That(All(loop.Body).OfType<KAsyncWait>().Single().Pending, Is.EqualTo(stages - 2));
            int ahead = kernel.Body.Statements.TakeWhile(s => s != loop).OfType<KAsyncCommit>().Count();
            Assert.That(ahead, Is.EqualTo(stages - 1));
        }
    }

    private static Kernel KernelOf(DType type, string order, ProductPlan? plan, GpuTarget gpu) =>
        new PlannedProduct(
            GpuDotTests.Dot(type, type == DType.I8 ? DType.I32 : type, order, 1024, 1024, 1024), plan, gpu).Kernels[0].Kernel;

    private static IEnumerable<KStmt> All(KBlock block) => block.Statements.SelectMany(
        s => KTraversal.Blocks(s).SelectMany(All).Prepend(s));
}
