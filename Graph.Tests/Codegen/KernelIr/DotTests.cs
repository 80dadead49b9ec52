using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Products of narrow elements: what every instruction and every expansion of them gives is what the interpreter gives.</summary>
internal sealed class DotTests
{
    private const int Rounds = 64;

    private static readonly (DType Left, DType Right)[] Types =
    [
        (DType.I8, DType.I8), (DType.U8, DType.I8), (DType.I8, DType.U8), (DType.U8, DType.U8), (DType.I16, DType.I16),
        (DType.BF16, DType.BF16),
    ];

    // What each processor has beyond its level; empty for the plain expansion.
    private static readonly string[] Features =
    [
        "", "+avxvnni", "+avx512vnni,+avx512bw,+avx512vl,+avx512f", "+avx512bf16,+avx512bw,+avx512vl,+avx512f", "+avxvnniint8",
    ];

    private static IEnumerable<TestCaseData> Cases =>
        from types in Types
        from lanes in new[] { 1, 4, 8, 16 }
        from features in Features
        select new TestCaseData(types.Left, types.Right, lanes, features)
            .SetArgDisplayNames(types.Left.Name(), types.Right.Name(), $"{lanes}", features);

    [TestCaseSource(nameof(Cases))]
    public void InstructionsGiveWhatTheInterpreterGives(DType left, DType right, int lanes, string features)
    {
        var target = Processor.With(features);
        Processor.Require(target);
        Kernel kernel = Products(left, right, lanes);
        var random = new Random(lanes);
        byte[][] buffers =
        [
            Sums(random, left, Rounds * lanes), Operand(random, left, Rounds * lanes), Operand(random, right, Rounds * lanes),
            new byte[4 * Rounds * lanes],
        ];
        byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        new KernelInterpreter(kernel, Array.ConvertAll(expected, b => (Memory<byte>)b)).Run();

        using var compiled = new CompiledKernel(kernel, target);
        compiled.Run(0, Rounds, buffers);

        uint[] actual = MemoryMarshal.Cast<byte, uint>(buffers[3]).ToArray();
        uint[] defined = MemoryMarshal.Cast<byte, uint>(expected[3]).ToArray();
        for (int i = 0; i < actual.Length; i++)
        {
            bool isNaN = left == DType.BF16 && float.IsNaN(BitConverter.UInt32BitsToSingle(defined[i]));
            Assert.That(
                isNaN ? float.IsNaN(BitConverter.UInt32BitsToSingle(actual[i])) : actual[i] == defined[i],
                $"lane {i} is {actual[i]:x8}, not {defined[i]:x8}");
        }
    }

    [TestCase("x86_64-unknown-linux-gnu", "x86-64-v4", "+avx512vnni", DType.U8, DType.I8, 16, "@llvm.x86.avx512.vpdpbusd.512")]
    [TestCase("x86_64-unknown-linux-gnu", "x86-64-v4", "+avx512bf16", DType.BF16, DType.BF16, 16, "@llvm.x86.avx512bf16.dpbf16ps.512")]
    [TestCase("x86_64-unknown-linux-gnu", "x86-64-v3", "+avxvnni", DType.I8, DType.U8, 8, "@llvm.x86.avx512.vpdpbusd.256")]
    [TestCase("x86_64-unknown-linux-gnu", "x86-64-v3", "+avxvnniint8", DType.I8, DType.I8, 8, "@llvm.x86.avx2.vpdpbssd.256")]
    [TestCase("x86_64-unknown-linux-gnu", "x86-64-v3", "", DType.I16, DType.I16, 8, "@llvm.x86.avx2.pmadd.wd")]
    [TestCase("aarch64-unknown-linux-gnu", "generic", "+neon,+dotprod", DType.I8, DType.I8, 4, "@llvm.aarch64.neon.sdot")]
    [TestCase("aarch64-unknown-linux-gnu", "generic", "+neon,+dotprod", DType.U8, DType.U8, 4, "@llvm.aarch64.neon.udot")]
    [TestCase("aarch64-unknown-linux-gnu", "generic", "+neon,+i8mm", DType.U8, DType.I8, 4, "@llvm.aarch64.neon.usdot")]
    [TestCase("aarch64-unknown-linux-gnu", "generic", "+neon", DType.BF16, DType.BF16, 4, "@llvm.fma.v4f32")]
    public void TargetsUseTheInstructionsThatTheyHave(
        string triple, string cpu, string features, DType left, DType right, int lanes, string intrinsic)
    {
        var target = new LlvmTarget(triple, cpu, features);

        string text = new LlvmKernelPrinter(target, _ => 0).Print(Products(left, right, lanes));

        Assert.That(text, Does.Contain(intrinsic));
        Assert.That(LlvmCompiler.Compile(text, target), Is.Not.Empty);
    }

    [Test]
    public void TheyAreReadBackAsTheyWereWritten()
    {
        string text = KernelPrinter.Print(Products(DType.U8, DType.I8, 8));

        Assert.That(text, Does.Contain("dot(load[8](sums, "));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
    }

    [Test]
    public void OperandsThatDoNotFitAreRefused()
    {
        var sum = new KConstant(Scalar.Zero(DType.I32), 4);
        var bytes = new KConstant(Scalar.Zero(DType.I8), 16);
        var words = new KConstant(Scalar.Zero(DType.I16), 8);
        Assert.Multiple(() =>
        {
            Assert.That(KernelRules.Problem(new KDot(sum, bytes, bytes)), Is.Null);
            Assert.That(KernelRules.Problem(new KDot(sum, bytes, words)), Is.EqualTo("no products of i8 and i16 are added up"));
            Assert.That(KernelRules.Problem(new KDot(sum, sum, sum)), Is.EqualTo("no products of i32 and i32 are added up"));
            Assert.That(
                KernelRules.Problem(new KDot(sum, words with { Lanes = 4, Type = new(DType.I16, 4) }, words)),
                Is.EqualTo("the left operand is i16x4, not i16x8"));
            Assert.That(
                KernelRules.Problem(new KDot(new KConstant(Scalar.Zero(DType.F32), 4), bytes, bytes)),
                Is.EqualTo("the sum is f32x4, not i32x4"));
        });
    }

    // results = dot(sums, left, right), some lanes of left repeated.
    private static Kernel Products(DType left, DType right, int lanes)
    {
        int group = KDot.Group(left);
        DType sum = left == DType.BF16 ? DType.F32 : DType.I32;
        KBuffer sums = KBuffer.ForArgument("sums", sum, 0, isReadOnly: true);
        KBuffer a = KBuffer.ForArgument("a", left, 1, isReadOnly: true);
        KBuffer b = KBuffer.ForArgument("b", right, 2, isReadOnly: true);
        KBuffer results = KBuffer.ForArgument("results", sum, 3, isReadOnly: false);
        var task = new KVariable("task", KType.Index);
        var body = new KBuilder();
        KExpr first = body.Let("first", KBuilder.Multiply(task, lanes));
        KExpr at = body.Let("at", KBuilder.Multiply(first, group));
        KExpr word = new KShuffle(new KLoad(a, at, group), Enumerable.Range(0, lanes * group).Select(i => i % group).ToValueList());
        KExpr once = new KDot(new KLoad(sums, first, lanes), new KLoad(a, at, lanes * group), new KLoad(b, at, lanes * group));
        body.Store(results, first, new KDot(once, word, new KLoad(b, at, lanes * group)));
        return new Kernel("products", [sums, a, b, results], task, Rounds, body.ToBlock(), default);
    }

    private static byte[] Sums(Random random, DType left, int count) =>
        SampleBits.Array(random, left == DType.BF16 ? DType.F32 : DType.I32, count);

    private static byte[] Operand(Random random, DType type, int lanes) => SampleBits.Array(random, type, lanes * KDot.Group(type));
}
