using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The table of targets, and how other machines are described.</summary>
internal sealed class AotTargetTests
{
    [Test]
    public void EveryNameIsFoundAgain()
    {
        Assert.That(AotTarget.Named.Select(t => t.Name), Is.Unique);
        foreach (AotTarget target in AotTarget.Named)
        {
            Assert.That(AotTarget.Parse(target.Name), Is.SameAs(target));
            Assert.That(target.Variants.Select(v => v.Name), Is.Unique);
            Assert.That(target.Variants.Select(v => v.Machine.Triple).Distinct().Count(), Is.EqualTo(1));
        }
    }

    [TestCase("x86-64", "baseline,v3,v4")]
    [TestCase("riscv64-all", "base,v")]
    [TestCase("aarch64", "neon")]
    public void VariantsGoFromThePlainestToTheMostCapable(string name, string variants)
    {
        AotTarget target = AotTarget.Parse(name);

        Assert.That(string.Join(',', target.Variants.Select(v => v.Name)), Is.EqualTo(variants));
        Assert.That(target.Variants.Select(v => v.Machine.VectorBits), Is.Ordered);
    }

    [Test]
    public void AProcessorKeepsTheFeaturesOfTheNameBeforeIt()
    {
        AotTarget target = AotTarget.Parse("x86-64-v3", "znver3", "-f16c");

        LlvmTarget machine = target.Variants[0].Machine;
        Assert.That(machine.Cpu, Is.EqualTo("znver3"));
        Assert.That(machine.VectorBits, Is.EqualTo(256));
        Assert.That(machine.HasFma, Is.True);
        Assert.That(machine.HasFeature("f16c"), Is.False);
    }

    [Test]
    public void ATripleIsATargetOfOneVariant()
    {
        AotTarget target = AotTarget.Parse("aarch64-unknown-linux-musl", features: "+dotprod");

        Assert.That(target.Variants, Has.Length.EqualTo(1));
        Assert.That(target.Architecture, Is.EqualTo(LlvmArchitecture.Arm64));
        Assert.That(target.Variants[0].RequiredFeatures, Does.Contain("+dotprod"));
    }

    [TestCase("sparc-sun-solaris", "GR5002")]
    [TestCase("x86-64-v9", "GR5010")]
    [TestCase("arm", "GR5010")]
    [TestCase("", "GR5010")]
    public void OthersAreRefused(string name, string id) =>
        Assert.That(Assert.Throws<GraphException>(() => AotTarget.Parse(name))!.Id.Code, Is.EqualTo(id));

    [TestCase("x86-64-baseline", false)]
    [TestCase("x86-64-v3", true)]
    [TestCase("aarch64", true)]
    [TestCase("riscv64", true)]
    [TestCase("riscv64-v", true)]
    [TestCase("armv7", false)]
    [TestCase("armv7-neon", true)]
    [TestCase("thumbv7em", false)]
    [TestCase("wasm32", false)]
    [TestCase("wasm32-simd", false)]
    public void MachinesHaveFusedMultiplyAddOrNot(string name, bool hasFma) =>
        Assert.That(AotTarget.Parse(name).Variants[0].Machine.HasFma, Is.EqualTo(hasFma));

    [TestCase("x86-64-v3")]
    [TestCase("aarch64")]
    public void TheNumberOfThreadsChangesNoByte(string name)
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(20, 30)));
            Node y = b.Dot(x, b.Constant(Evaluation.Noise([30, 40], 1)));
            return [b.Exponential(y), b.Sine(b.Dot(y, b.Constant(Evaluation.Noise([40, 50], 2)))), b.Logistic(x)];
        });

        byte[] alone = Bytes(1);
        Assert.That(Bytes(3), Is.EqualTo(alone));
        Assert.That(Bytes(1), Is.EqualTo(alone));

        byte[] Bytes(int threads)
        {
            GraphCompiler compiler = AotTarget.Parse(name).Compilers(new GraphCompilerOptions { Threads = threads })[0];
            using Executable executable = compiler.Compile(module, NullLogger.Instance, default);
            using var stream = new MemoryStream();
            executable.Write(stream);
            return stream.ToArray();
        }
    }
}
