using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Loading;

/// <summary>The runtime knows the processor as well as LLVM does, without LLVM.</summary>
internal sealed class HostProcessorTests
{
    [Test]
    public void LlvmFindsTheSameFeatures()
    {
        LlvmTarget host = LlvmTarget.Host();
        string[] spelledOut = host.Features.Split(',');
        foreach (string feature in spelledOut)
        {
            string name = feature[1..];
            if (host.Architecture == LlvmArchitecture.Arm64 || X64Features.Known.Contains(name))
            {
                Assert.That(HostProcessor.Has(name), Is.EqualTo(feature[0] == '+'), feature);
            }
        }

        Assert.That(HostProcessor.MissingFeatures(host.RequiredFeatures), Is.Empty);
    }

    [Test]
    public void LlvmKnowsWhoHalvesVectors() =>
        Assert.That(HostProcessor.HalvesVectors, Is.EqualTo(LlvmTarget.Host().HalvesVectors), LlvmTarget.Host().Cpu);

    [Test]
    public void TheSystemSavesWhatTheRuntimeSays()
    {
        if (!System.Runtime.Intrinsics.X86.X86Base.X64.IsSupported)
        {
            Assert.Ignore("XCR0 is a register of x86-64");
        }
        Assert.That(SavedRegisters.Include(X64Processor.Host, 0x06), Is.EqualTo(System.Runtime.Intrinsics.X86.Avx.IsSupported));
        Assert.That(SavedRegisters.Include(X64Processor.Host, 0xE6), Is.EqualTo(System.Runtime.Intrinsics.X86.Avx512F.IsSupported));
        Assert.That(SavedRegisters.Include(X64Processor.Host, 1u << 31), Is.False);
    }

    [Test]
    public void TheProcessorIsAskedAsTheRuntimeAsks()
    {
        if (!System.Runtime.Intrinsics.X86.X86Base.X64.IsSupported)
        {
            Assert.Ignore("CPUID is an instruction of x86-64");
        }
        foreach ((uint leaf, uint subleaf) in ((uint, uint)[])[(0, 0), (7, 0), (0x80000001, 0), (4, 2)])
        {
            X64Processor.Answer answer = X64Processor.Host.Ask(leaf, subleaf);
            Assert.That(
                (unchecked((int)answer.Eax), unchecked((int)answer.Ebx), unchecked((int)answer.Ecx), unchecked((int)answer.Edx)),
                Is.EqualTo(System.Runtime.Intrinsics.X86.X86Base.CpuId(unchecked((int)leaf), (int)subleaf)), $"{leaf:x}");
        }
        Assert.That(X64Processor.Host.Ask(0x7FFFFFFF, 0).Eax, Is.Zero, "no such question");
    }

    [Test]
    public void TheFingerprintSaysModelAndFeatures()
    {
        Assert.That(HostProcessor.Fingerprint, Is.EqualTo(HostProcessor.Fingerprint));
        Assert.That(HostProcessor.Fingerprint.Split(' '), Has.Length.GreaterThanOrEqualTo(2));
    }

    [Test]
    public void MissingFeaturesAreListed()
    {
        Assert.That(
            HostProcessor.MissingFeatures("+teleport,-avx2, +levitate"), Is.EqualTo(new[] { "teleport", "levitate" }));
        Assert.That(HostProcessor.MissingFeatures(""), Is.Empty);
    }

    [Test]
    public void CodeThatNeedsMoreThanTheProcessorHasIsNotLoaded()
    {
        byte[] code = LlvmCompiler.Compile("define i64 @f() { ret i64 1 }", LlvmTarget.Host());

        var error = Assert.Throws<ObjectLoadException>(
            () => LoadedCode.Load([code], ["model.graphene"], "+teleport"))!;

        Assert.That(error.Problem, Is.EqualTo("it uses teleport, which this processor does not have"));
    }

    [Test]
    public void ArmFeaturesAreThoseThatAllCoresHave()
    {
        string[] lines =
        [
            "processor\t: 0", "Features\t: fp asimd crc32 atomics asimddp sve", "CPU implementer\t: 0x41",
            "CPU variant\t: 0x1", "CPU part\t: 0xd40", "",
            "processor\t: 1", "Features\t: fp asimd crc32 atomics asimddp", "CPU implementer\t: 0x41",
            "CPU part\t: 0xd05",
        ];

        (string model, HashSet<string> features) = Arm64Features.Parse(lines);

        Assert.That(model, Is.EqualTo("arm64 i0x41 p0xd05 p0xd40 v0x1"));
        Assert.That(features, Is.EquivalentTo(new[] { "fp-armv8", "neon", "crc", "lse", "dotprod", "reserve-x18" }));
    }

    [Test]
    public void LevelsOfX64SpellOutWhatTheyRequire()
    {
        Assert.That(LlvmTarget.X64V3.RequiredFeatures, Does.Contain("+avx2").And.Contain("+fma").And.Contain("+sse2"));
        Assert.That(LlvmTarget.X64V3.RequiredFeatures, Does.Not.Contain("avx512"));
        Assert.That((LlvmTarget.X64V3 with { Features = "-avx2" }).RequiredFeatures, Does.Not.Contain("avx2"));
        Assert.That(
            LlvmTarget.X64V4.RequiredFeatures.Split(',').Select(f => f[1..]), Is.SubsetOf(X64Features.Known.ToArray()));
    }
}
