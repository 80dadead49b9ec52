using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Whether any lane of a vector is true.</summary>
internal sealed class AnyTests
{
    private const int Count = 260;

    private static IEnumerable<TestCaseData> Cases =>
        from target in new[] { ("SSE2", LlvmTarget.X64), ("AVX2", LlvmTarget.X64V3), ("AVX-512", LlvmTarget.X64V4), ("host", LlvmTarget.Host()) }
        from lanes in new[] { 1, 2, 4, 16, 64 }
        select new TestCaseData(target.Item2, lanes).SetArgDisplayNames(target.Item1, $"{lanes}");

    [TestCaseSource(nameof(Cases))]
    public void OneLaneIsEnough(LlvmTarget target, int lanes)
    {
        Processor.Require(target);
        int[] x = [.. Enumerable.Range(0, Count).Select(i => i % 97 == 50 ? -1 : i)];
        byte[][] buffers = [MemoryMarshal.AsBytes<int>(x).ToArray(), new byte[4 * Count]];
        using var compiled = new CompiledKernel(Kernel(lanes), target);
        compiled.Run(0, 1, buffers);
        int whole = Count / lanes * lanes;
        int[] expected = [.. Enumerable.Range(0, Count).Select(
            i => (i < whole ? x.Skip(i / lanes * lanes).Take(lanes) : [x[i]]).Any(v => v < 0) ? 1 : 0)];
        Assert.That(MemoryMarshal.Cast<byte, int>(buffers[1]).ToArray(), Is.EqualTo(expected));

        byte[][] interpreted = [buffers[0], new byte[4 * Count]];
        new KernelInterpreter(Kernel(lanes), Array.ConvertAll(interpreted, b => (Memory<byte>)b)).Run();
        Assert.That(interpreted[1], Is.EqualTo(buffers[1]));
    }

    [Test]
    public void TextIsReadAgain()
    {
        string text = KernelPrinter.Print(Kernel(4));
        Assert.That(text, Does.Contain("any(less(load[4](x0, i), broadcast[4](i32 0)))").Or.Contain("any(less(load[4](x0, i), i32x4 0))"));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
    }

    [Test]
    public void OnlyBoolsAreAsked() => Assert.That(KernelRules.Problem(new KAny(new KConstant(Scalar.Zero(DType.I32), 4))), Is.Not.Null);

    private static Kernel Kernel(int lanes) => MapKernel.Of("map", [DType.I32], DType.I32, Count, lanes, x =>
        KBuilder.Broadcast(
            new KConvert(new KAny(KBuilder.Less(x[0], new KConstant(Scalar.Zero(DType.I32), 1))), DType.I32), x[0].Type.Lanes));
}
