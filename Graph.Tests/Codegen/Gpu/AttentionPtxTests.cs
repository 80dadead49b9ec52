using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Where the assembler is installed: attention whose products are rounded to TF32 keeps everything in registers.</summary>
internal sealed class AttentionPtxTests
{
    [TestCase(80, false)]
    [TestCase(90, true)]
    public void TensorFloat32DoesNotSpill(int architecture, bool hasArchitectureFeatures)
    {
        Ptxas.Require();
        var gpu = new GpuTarget(architecture, hasArchitectureFeatures) { AllowsTensorFloat32 = true };
        using var compiler = new PtxCompiler(PtxTarget.Of(gpu));
        foreach ((int size, bool causal) in new[] { (64, false), (64, true), (128, false), (256, false) })
        {
            Node Part(GraphBuilder b, int number) => b.Parameter(number, new TensorType(DType.F32, Shape.Of(1, 12, 512, size)));
            Module module = CompiledModule.Build(b =>
                [b.Attention(Part(b, 0), Part(b, 1), Part(b, 2), null, new AttentionOptions { Causal = causal })]);
            foreach (LoweredKernel kernel in new GpuNode(module, gpu).Kernels)
            {
                Assert.That(KernelPrinter.Print(kernel.Kernel), Does.Contain("fragment_dot[16, 8, 8"));
                compiler.Add(kernel.Kernel with { Name = $"attention_{size}_{causal}" });
            }
        }
        PtxModule ptx = compiler.Finish();

        IReadOnlyList<PtxasReport> reports = Ptxas.Assemble(ptx.Text, ptx.Target.Name);

        TestContext.Out.WriteLine(string.Join('\n', reports));
        Assert.That(reports, Has.Count.EqualTo(ptx.Kernels.Length));
        Assert.That(reports.Where(r => r.SpilledBytes > 0), Is.Empty);
    }
}
