using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>The kernels of every case of every op become PTX, and the assembler takes it.</summary>
internal sealed class PtxOpTests
{
    private static readonly Lazy<OpCaseModule> Cases = new(OpCaseModule.OfAll);

    [TestCase(70, false)]
    [TestCase(80, false)]
    [TestCase(90, true)]
    public void EveryOpBecomesPtx(int architecture, bool hasArchitectureFeatures)
    {
        var gpu = new GpuTarget(architecture, hasArchitectureFeatures);
        PtxModule module = Compile(gpu);
        Assert.That(module.Kernels, Is.Not.Empty);
        Assert.That(module.Text, Does.Not.Contain(".ftz").And.Not.Contain(".approx").And.Not.Contain(".extern .func"));
    }

    [Explicit("takes a minute")]
    [TestCase(70, false)]
    [TestCase(80, false)]
    [TestCase(90, true)]
    public void EveryOpAssembles(int architecture, bool hasArchitectureFeatures)
    {
        var gpu = new GpuTarget(architecture, hasArchitectureFeatures);
        PtxModule module = Compile(gpu);
        IReadOnlyList<PtxasReport> reports = Ptxas.Assemble(module.Text, module.Target.Name);
        Assert.That(reports.Select(r => r.Name).Order(), Is.EqualTo(module.Kernels.Select(k => k.Name).Order()));
        Assert.That(reports.Where(r => r.SpilledBytes > 0), Is.Empty);
    }

    private static PtxModule Compile(GpuTarget gpu)
    {
        using var compiler = new PtxCompiler(PtxTarget.Of(gpu));
        foreach (Kernel kernel in GpuKernels.Of(Cases.Value.Module, gpu))
        {
            compiler.Add(kernel);
        }
        return compiler.Finish();
    }
}
