using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Products of warpgroups as PTX: what instructions, how operands are described, and that the assembler
/// keeps everything in registers.
/// </summary>
internal sealed class WarpgroupPtxTests
{
    private static readonly GpuTarget Hopper = new(90, true) { AllowsTensorFloat32 = true };

    [Test]
    public void TextHasTheInstructionsOfSm90a()
    {
        PtxModule module = Compile([("nn", DType.BF16, WarpgroupProductTests.Tile(2, 128, 256))]);
        PtxKernel kernel = module.Kernels.Single();

        Assert.Multiple(() =>
        {
            Assert.That(module.Text, Does.Contain(".version 8.0\n.target sm_90a\n"));
            Assert.That(
                Count(module.Text, "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16"), Is.EqualTo(4),
                "four steps of k in a tile");
            Assert.That(Count(module.Text, "wgmma.fence.sync.aligned"), Is.EqualTo(1));
            Assert.That(Count(module.Text, "wgmma.commit_group.sync.aligned"), Is.EqualTo(1));
            Assert.That(Count(module.Text, "wgmma.wait_group.sync.aligned 1;"), Is.EqualTo(1));
            Assert.That(Count(module.Text, "wgmma.wait_group.sync.aligned 0;"), Is.EqualTo(1));
            Assert.That(
                Count(module.Text, "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"),
                Is.EqualTo(5),
                "1 box of a, 4 of b");
            Assert.That(module.Text, Does.Contain("mbarrier.arrive.expect_tx.shared::cta.b64 _, [").And.Contain("], 49152;"));
            Assert.That(module.Text, Does.Match(@"\.param \.align 64 \.b8 \w+_param_\d+\[128\]"));
            Assert.That(module.Text, Does.Contain(".align 1024 .b8"));
            Assert.That(module.Text, Does.Not.Contain(".local"), "a map must not be copied to a thread's memory");
            Assert.That((kernel.Threads, kernel.Maps, kernel.SharedBytes), Is.EqualTo((288, 2, 196736)));
        });
    }

    [Test]
    public void OlderMachinesAreRefused()
    {
        Kernel kernel = KernelOf("nn", DType.BF16, WarpgroupProductTests.Tile(2, 64, 64));

        Assert.That(Refusal(new GpuTarget(90)), Does.Contain("wgmma is there on sm_90a alone").Or.Contain("mbarrier"));
        Assert.That(Refusal(new GpuTarget(80)), Does.Contain("mbarrier with bytes needs sm_90"));

        string Refusal(GpuTarget gpu) => Assert.Throws<CompilerBugException>(
            () => new PtxKernelPrinter(PtxTarget.Of(gpu)).Print(kernel))!.Message;
    }

    [Test]
    public void TheAssemblerLosesNothing()
    {
        Ptxas.Require();
        AssertAssembles(
        [
            ("nn", DType.BF16, WarpgroupProductTests.Tile(2, 128, 256)),
            ("nt", DType.I8, WarpgroupProductTests.Tile(1, 128, 128)),
        ]);
    }

    [Explicit("takes a minute")]
    [Test]
    public void TheAssemblerLosesNothingOfAnyTile()
    {
        Ptxas.Require();
        AssertAssembles(
        [
            .. from tile in WarpgroupTileChoice.Tiles(2)
               from order in new[] { "nn", "nt", "tn", "tt" }
               select (order, DType.F16, tile),
            .. WarpgroupTileChoice.Tiles(1).Select(t => ("nt", DType.I8, t)),
            .. WarpgroupTileChoice.Tiles(4).Select(t => ("nt", DType.F32, t)),
        ]);
    }

    private static void AssertAssembles((string Order, DType Type, ProductTile Tile)[] forms)
    {
        PtxModule module = Compile(forms);

        IReadOnlyList<PtxasReport> reports = Ptxas.Assemble(module.Text, "sm_90a", out string[] warnings);

        Assert.That(reports, Has.Count.EqualTo(module.Kernels.Length));
        Assert.Multiple(() =>
        {
            Assert.That(reports.Where(r => r.SpilledBytes > 0 || r.StackBytes > 0), Is.Empty);
            // Among them: wgmma instructions that are serialized since something else touches their registers.
            Assert.That(warnings, Is.Empty);
        });
        foreach (PtxasReport report in reports)
        {
            TestContext.Out.WriteLine(report);
        }
    }

    private static PtxModule Compile((string Order, DType Type, ProductTile Tile)[] forms)
    {
        using var compiler = new PtxCompiler(PtxTarget.Of(Hopper));
        foreach ((string order, DType type, ProductTile tile) in forms)
        {
            compiler.Add(KernelOf(order, type, tile) with { Name = $"{type.Name()}_{order}_{tile.Rows}x{tile.Columns}x{tile.Stages}" });
        }
        return compiler.Finish();
    }

    private static Kernel KernelOf(string order, DType type, ProductTile tile)
    {
        DType result = type == DType.I8 ? DType.I32 : type;
        return new PlannedProduct(
            GpuDotTests.Dot(type, result, order, 4096, 4096, 4096),
            new ProductPlan(ProductUnit.Warpgroups, tile), Hopper)
            .Kernels[0].Kernel;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
