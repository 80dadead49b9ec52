using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Products of narrow elements on every kind of processor: integers are exact, bf16 is within its bound, machine code gives the
/// interpreter's bits, and bits depend on no number of rows.
/// </summary>
internal sealed class NarrowProductTests
{
    private const string Avx512 = "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl";
    private const string Avx512Narrow = Avx512 + ",+avx512vnni,+avx512bf16";

    private static readonly (string Name, LlvmTarget Target)[] Processors =
    [
        ("plain AVX2", Processor.With("")),
        ("AVX-VNNI", Processor.With("+avxvnni")),
        ("AVX-512", Processor.With(Avx512)),
        ("AVX-512 VNNI", Processor.With(Avx512 + ",+avx512vnni")),
        ("AVX-512 BF16", Processor.With(Avx512Narrow)),
        ("AVX-512 in halves", Processor.With(Avx512Narrow) with { Cpu = "znver4" }),
        ("AMX", Processor.With(Avx512Narrow + ",+amx-tile,+amx-int8,+amx-bf16")),
    ];

    private static readonly (DType Left, DType Right)[] Bytes =
        [(DType.I8, DType.I8), (DType.U8, DType.I8), (DType.I8, DType.U8), (DType.U8, DType.U8)];

    // Rows, depth and columns that fill tiles, words and panels, and that do not.
    private static readonly (int Rows, int Depth, int Columns)[] Shapes =
        [(1, 64, 32), (3, 7, 5), (14, 33, 47), (37, 130, 65), (33, 128, 16), (70, 66, 100)];

    private static IEnumerable<TestCaseData> Integers =>
        from processor in Processors
        from types in Bytes
        select new TestCaseData(processor.Target, types.Left, types.Right)
            .SetArgDisplayNames(processor.Name, types.Left.Name(), types.Right.Name());

    private static IEnumerable<TestCaseData> Kinds =>
        Processors.Select(p => new TestCaseData(p.Target).SetArgDisplayNames(p.Name));

    [TestCaseSource(nameof(Integers))]
    public void IntegersAreExact(LlvmTarget target, DType left, DType right)
    {
        Processor.Require(target);
        foreach ((int rows, int depth, int columns) in Shapes)
        {
            Module module = Product(left, right, DType.I32, rows, depth, columns);
            Literal x = Noise(left, 3, rows, depth);
            LiteralAssert.AreEqual(
                Run(module, target, x), Evaluator.Evaluate(module.Entry, [x])[0], $"{rows}x{depth}x{columns}");
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void BrainFloatsAreWithinTheirBound(LlvmTarget target)
    {
        Processor.Require(target);
        foreach ((int rows, int depth, int columns) in Shapes)
        {
            Module module = Product(DType.BF16, DType.BF16, DType.F32, rows, depth, columns);
            Literal x = Noise(DType.BF16, 3, rows, depth);
            Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
            // Each of the depth additions errs by at most half a unit of a partial sum, none of which is larger than depth / 4.
            double bound = depth * Math.ScaleB(depth / 4.0, -24);
            LiteralAssert.AreClose(Run(module, target, x), expected, 0, bound, $"{rows}x{depth}x{columns}");
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void TheInterpreterGivesTheSameBits(LlvmTarget target)
    {
        Processor.Require(target);
        foreach ((DType left, DType right, DType result) in new[]
        {
            (DType.I8, DType.I8, DType.I32), (DType.U8, DType.I8, DType.I32), (DType.BF16, DType.BF16, DType.F32),
            (DType.BF16, DType.BF16, DType.BF16), (DType.F16, DType.F16, DType.F32),
        })
        {
            Module module = Product(left, right, result, 21, 45, 39);
            Literal x = Noise(left, 5, 21, 45);
            LiteralAssert.AreEqual(
                new InterpretedModule(module, target).Run([x])[0], Run(module, target, x), $"{left.Name()} {right.Name()}");
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void BitsDoNotDependOnTheNumberOfRows(LlvmTarget target)
    {
        Processor.Require(target);
        foreach (DType type in new[] { DType.BF16, DType.F16 })
        {
            Module Rows(Dim rows) => Product(type, type, DType.F32, rows, 77, 70);
            Literal x = Noise(type, 7, 50, 77);
            Literal all = Run(Rows(50), target, x);
            LiteralAssert.AreEqual(Run(Rows(Dim.Symbol("rows", 1, 512)), target, x), all, "a symbolic number of rows");
            foreach (int rows in new[] { 1, 2, 15, 17, 33 })
            {
                Literal some = Literal.Generate(new TensorType(type, Shape.Of(rows, 77)), at => x[at]);
                Literal few = Run(Rows(rows), target, some);
                Assert.That(few.As<float>().SequenceEqual(all.As<float>()[..(rows * 70)]), $"{rows} rows of {type.Name()}");
            }
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void LeftOperandsMayLieInAnyOrder(LlvmTarget target)
    {
        Processor.Require(target);
        foreach (DType type in new[] { DType.I8, DType.BF16, DType.F16 })
        {
            DType sum = type == DType.I8 ? DType.I32 : DType.F32;
            Module module = CompiledModule.Build(b =>
            [
                b.DotGeneral(
                    b.Parameter(0, new TensorType(type, Shape.Of(67, 37))), b.Constant(Noise(type, 1, 67, 40)), [], [], [0], [0], sum),
            ]);
            Literal x = Noise(type, 2, 67, 37);
            LiteralAssert.AreClose(
                Run(module, target, x), Evaluator.Evaluate(module.Entry, [x])[0], 0, type == DType.I8 ? 0 : 1e-4, type.Name());
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void BatchesBiasAndActivationsStayInTheKernel(LlvmTarget target)
    {
        Processor.Require(target);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.I8, Shape.Of(3, 20, 35)));
            Node y = b.DotGeneral(x, b.Constant(Noise(DType.I8, 1, 3, 35, 41)), [0], [0], [2], [1], DType.I32);
            Node biased = b.Add(y, b.BroadcastInDim(b.Constant(Noise(DType.I32, 2, 41)), y.Shape, [2]));
            Node scaled = b.Multiply(b.Convert(biased, DType.F32), b.Splat(DType.F32, y.Shape, 0.01));
            return [b.Convert(b.RoundNearestEven(scaled), DType.I8)];
        });
        Literal x = Noise(DType.I8, 3, 3, 20, 35);

        Assert.That(new InterpretedModule(module, target).Kernels.Count(), Is.EqualTo(1));
        LiteralAssert.AreEqual(Run(module, target, x), Evaluator.Evaluate(module.Entry, [x])[0]);
    }

    [TestCaseSource(nameof(Kinds))]
    public void ConvolutionsUseTheirInputWhereItLies(LlvmTarget target)
    {
        Processor.Require(target);
        foreach ((int inputs, int kernel, int stride) in new[] { (10, 3, 1), (8, 3, 2), (16, 1, 1), (3, 5, 2) })
        {
            foreach ((DType type, DType sum) in new[] { (DType.I8, DType.I32), (DType.BF16, DType.F32) })
            {
                Module module = CompiledModule.Build(b =>
                {
                    Node x = b.Parameter(0, new TensorType(type, Shape.Of(2, 13, 11, inputs)));
                    var window = new WindowDim(kernel, stride, kernel / 2, kernel / 2);
                    var op = new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, sum);
                    return [b.Add(op, x, b.Constant(Noise(type, 1, kernel, kernel, inputs, 21)))];
                });
                Literal x = Noise(type, 2, 2, 13, 11, inputs);
                Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
                LiteralAssert.AreClose(
                    Run(module, target, x), expected, 0, type == DType.I8 ? 0 : 1e-4, $"{type.Name()} {inputs} {kernel} {stride}");
                LiteralAssert.AreEqual(new InterpretedModule(module, target).Run([x])[0], Run(module, target, x), "interpreted");
            }
        }
    }

    private static Module Product(DType left, DType right, DType result, Dim rows, int depth, int columns) => CompiledModule.Build(b =>
    [
        b.DotGeneral(
            b.Parameter(0, new TensorType(left, [rows, depth])), b.Constant(Noise(right, 1, depth, columns)), [], [], [1], [0], result),
    ]);

    private static Literal Run(Module module, LlvmTarget target, Literal x) => CompiledModule.Run(module, [x], target)[0];

    // Integers of all sizes that the type has, and numbers whose sums are as small as the bounds above say.
    private static Literal Noise(DType type, int seed, params long[] shape)
    {
        var random = new Random(seed);
        return Literal.Generate(
            new TensorType(type, Shape.Of(shape)),
            _ => type.IsFloating()
                ? Scalar.FromDouble(type, random.NextDouble() - 0.5)
                : Scalar.FromInteger(type, random.Next((int)Scalar.Lowest(DType.I16).AsInteger, 32768) & (type == DType.I32 ? -1 : 0xFF)));
    }
}
