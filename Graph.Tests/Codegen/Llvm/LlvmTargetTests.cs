using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Llvm;

/// <summary>What a target says about the machine, which decides how kernels are scheduled.</summary>
internal sealed class LlvmTargetTests
{
    [Test]
    public void TheHostIsDetectedOnce()
    {
        LlvmTarget host = LlvmTarget.Host();

        Assert.That(LlvmTarget.Host(), Is.SameAs(host));
        Assert.That(host.Cpu, Is.Not.Empty);
        Assert.That(host.Architecture, Is.AnyOf(LlvmArchitecture.X64, LlvmArchitecture.Arm64));
        Assert.That(host.VectorBits, Is.EqualTo(
            System.Runtime.Intrinsics.X86.Avx512F.VL.IsSupported ? 512
            : System.Runtime.Intrinsics.X86.Avx2.IsSupported ? 256 : 128));
    }

    [TestCase("x86-64", "", 128, false)]
    [TestCase("x86-64-v2", "", 128, false)]
    [TestCase("x86-64-v3", "", 256, true)]
    [TestCase("x86-64-v4", "", 512, true)]
    [TestCase("x86-64-v4", "-avx512vl", 256, true)]
    [TestCase("x86-64", "+avx2,+fma", 256, true)]
    [TestCase("x86-64", "+avx2,-avx2", 128, false)]
    [TestCase("znver4", "", 128, false)]
    public void FeaturesDecideTheVectorWidth(string cpu, string features, int vectorBits, bool hasFma)
    {
        var target = new LlvmTarget("x86_64-unknown-linux-gnu", cpu, features);

        Assert.That(target.VectorBits, Is.EqualTo(vectorBits));
        Assert.That(target.HasFma, Is.EqualTo(hasFma));
    }

    [TestCase("aarch64-unknown-linux-gnu", "", 128)]
    [TestCase("riscv64-unknown-linux-gnu", "+m,+v", 128)]
    [TestCase("riscv64-unknown-linux-gnu", "+m,+v,+zvl256b", 256)]
    [TestCase("riscv64-unknown-linux-gnu", "+m", 0)]
    [TestCase("armv7-unknown-linux-gnueabihf", "+neon,+vfp4", 128)]
    [TestCase("thumbv7em-none-eabihf", "", 0)]
    [TestCase("wasm32-unknown-unknown", "+simd128", 128)]
    [TestCase("nvptx64-nvidia-cuda", "", 0)]
    public void OtherProcessorsHaveTheirWidths(string triple, string features, int vectorBits)
    {
        Assert.That(new LlvmTarget(triple, "", features).VectorBits, Is.EqualTo(vectorBits));
    }
}
