using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>What LLVM makes of a kernel does what the interpreter does, bit for bit.</summary>
internal sealed class RandomKernelTests
{
    private static readonly LlvmTarget[] Targets = [.. AotTarget.Named.SelectMany(t => t.Variants).Select(v => v.Machine).Distinct()];

    [Test]
    public void CompiledKernelsDoWhatTheInterpreterDoes([Range(0, 39)] int seed) => Compare(seed, null);

    [Test]
    public void SoDoThoseForOldProcessors([Range(1000, 1009)] int seed)
    {
        if (LlvmTarget.Host().Architecture != LlvmArchitecture.X64)
        {
            Assert.Ignore("x86-64 code runs on x86-64 alone");
        }
        Compare(seed, LlvmTarget.X64);
    }

    [Test]
    [Category("Large")]
    public void ManyCompiledKernelsDoWhatTheInterpreterDoes()
    {
        for (int seed = 10_000; seed < 12_000; seed++)
        {
            Compare(seed, null);
        }
    }

    [TestCaseSource(nameof(Targets))]
    public void EveryTargetAcceptsThem(LlvmTarget target)
    {
        for (int seed = 2000; seed < 2010; seed++)
        {
            string text = new LlvmKernelPrinter(target, _ => 0).Print(RandomKernel.Generate(seed));
            Assert.That(LlvmCompiler.Compile(text, target), Is.Not.Empty, $"seed {seed}");
        }
    }

    private static void Compare(int seed, LlvmTarget? target)
    {
        Kernel kernel = RandomKernel.Generate(seed);
        var random = new Random(seed);
        byte[][] buffers =
        [
            .. kernel.Arguments.Select(a => SampleBits.Array(
                random, a.Element, a.IsReadOnly ? RandomKernel.OperandLength : RandomKernel.Tasks * RandomKernel.Count)),
        ];
        byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        new KernelInterpreter(
            kernel, Array.ConvertAll(expected, b => (Memory<byte>)b), hasFma: (target ?? LlvmTarget.Host()).HasFma).Run();
        using var compiled = new CompiledKernel(kernel, target);
        compiled.Run(0, RandomKernel.Tasks, buffers);

        for (int i = 0; i < buffers.Length; i++)
        {
            KBuffer buffer = kernel.Arguments[i];
            int at = SampleBits.FirstDifference(buffer.Element, buffers[i], expected[i]);
            if (at >= 0)
            {
                Scalar actual = SampleBits.Value(buffer.Element, buffers[i], at);
                Scalar right = SampleBits.Value(buffer.Element, expected[i], at);
                Assert.Fail($"seed {seed}: {buffer}[{at}] is {actual}, not {right}\n{KernelPrinter.Print(kernel)}");
            }
        }
    }
}
