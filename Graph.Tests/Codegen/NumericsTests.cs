using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Which sums machine code computes, written out: results are compared bit for bit. docs/numerics.md states the rules.</summary>
internal sealed class NumericsTests
{
    private static readonly DType[] Reals = [DType.F16, DType.BF16, DType.F32, DType.F64];

    private static readonly long[] Lengths = [1, 2, 7, 8, 15, 31, 32, 33, 127, 128, 129, 300, 1000];

    [TestCaseSource(nameof(Reals))]
    public void DotAddsProductsInOrderWithFusedMultiplyAdd(DType type)
    {
        Literal x = Values(type, 1, 9, 301);
        Literal y = Values(type, 2, 301, 21);
        Literal fed = Run(b => b.Dot(b.Parameter(0, x.Type), b.Parameter(1, y.Type)), x, y);
        Literal constant = Run(b => b.Dot(b.Parameter(0, x.Type), b.Constant(y)), x);
        Literal expected = Literal.Generate(fed.Type, at =>
        {
            Total sum = new(type);
            for (int k = 0; k < 301; k++)
            {
                sum.AddProduct(At(x, at[0], k), At(y, k, at[1]));
            }
            return sum.Rounded;
        });

        LiteralAssert.AreEqual(fed, expected, "both fed");
        LiteralAssert.AreEqual(constant, type == DType.BF16 ? ByInstruction(x, y) : expected, "packed weights");
    }

    [TestCaseSource(nameof(Reals))]
    public void ConvolutionAddsProductsByKernelPositionThenFeature(DType type)
    {
        Literal x = Values(type, 1, 1, 5, 11, 11);
        Literal w = Values(type, 2, 6, 5, 3, 3);
        var window = new WindowDim(3, 1, 1, 1);
        Literal actual = Run(
            b => b.Add(
                new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [window, window], 1, 1, type),
                b.Parameter(0, x.Type), b.Constant(w)), x);
        Literal expected = Literal.Generate(actual.Type, at =>
        {
            Total sum = new(type);
            for (int k = 0; k < 9 * 5; k++)
            {
                (int row, int column, int feature) = (k / 15, k / 5 % 3, k % 5);
                (long i, long j) = (at[2] + row - 1, at[3] + column - 1);
                bool isInside = i is >= 0 and < 11 && j is >= 0 and < 11;
                sum.AddProduct(isInside ? At(x, 0, feature, i, j) : 0, At(w, at[1], feature, row, column));
            }
            return sum.Rounded;
        });

        // Instructions for bf16 add up in an order of their own: one unit in the last place of the result.
        LiteralAssert.AreClose(
            actual, expected, type == DType.BF16 ? Math.ScaleB(1, -7) : 0, type == DType.BF16 ? 1e-5 : 0);
    }

    [TestCaseSource(nameof(Lengths))]
    public void SumOfConsecutiveElementsRunsInLanesJoinedByATree(long length)
    {
        Literal x = Values(DType.F32, 3, 3, length);
        Literal actual = Run(b => b.ReduceSum(b.Parameter(0, x.Type), [1]), x);
        var extent = Dim.Symbol("length", 0, 5000);
        Literal symbolic = Run(b => b.ReduceSum(b.Parameter(0, new TensorType(DType.F32, [3, extent])), [1]), x);
        LiteralAssert.AreEqual(symbolic, actual, "symbolic");
        for (int row = 0; row < 3; row++)
        {
            float sum = InLanes(x.As<float>().Slice((int)(row * length), (int)length), v => v);
            Assert.That(actual.As<float>()[row], Is.EqualTo(0 + sum), $"row {row}");
        }
    }

    [Test]
    public void LongSumsRunInSegments([Values(32768, 32769, 100_000, 131_072, 300_007)] int length)
    {
        Literal x = Values(DType.F32, 7, length);
        float[] values = x.As<float>().ToArray();
        float total = -0f;
        float squares = -0f;
        for (int begin = 0; begin < length; begin += 32768)
        {
            total += InLanes(values.AsSpan(begin, Math.Min(32768, length - begin)), v => v);
            squares += InLanes(values.AsSpan(begin, Math.Min(32768, length - begin)), v => v * v);
        }
        Module known = CompiledModule.Build(b => Sums(b, x.Type));
        Module fed = CompiledModule.Build(b => Sums(b, new TensorType(DType.F32, [Dim.Symbol("length", 0, 1 << 20)])));
        foreach (int threads in (int[])[1, 2])
        {
            Assert.That(
                CompiledModule.Run(known, [x], threads).Select(r => r.As<float>()[0]),
                Is.EqualTo((float[])[3 + total, squares, -total]));
            Assert.That(
                CompiledModule.Run(fed, [x], threads).Select(r => r.As<float>()[0]),
                Is.EqualTo((float[])[3 + total, squares, -total]));
        }

        static Node[] Sums(GraphBuilder b, TensorType type)
        {
            Node p = b.Parameter(0, type);
            Node sum = b.ReduceSum(p, [0]);
            return [b.Add(sum, b.Constant(DType.F32, 3)), b.ReduceSum(b.Multiply(p, p), [0]), b.Negate(sum)];
        }
    }

    private static float InLanes(ReadOnlySpan<float> values, Func<float, float> element)
    {
        float[] lanes = [.. Enumerable.Repeat(-0f, 32)];
        for (int i = 0; i < values.Length; i++)
        {
            lanes[i % 32] += element(values[i]);
        }
        for (int half = 16; half > 0; half /= 2)
        {
            lanes = [.. lanes[..half].Zip(lanes[half..], (a, b) => a + b)];
        }
        return lanes[0];
    }

    [TestCaseSource(nameof(Lengths))]
    public void SumAcrossRowsRunsInBlocks(long length)
    {
        SumsOfColumns(length, 277); // several vectors at once, single ones, and some lanes
        SumsOfColumns(length, 601); // wide enough to be read along memory
    }

    private static void SumsOfColumns(long length, int columns)
    {
        Literal x = Values(DType.F32, 4, length, columns);
        Literal actual = Run(b => b.ReduceSum(b.Parameter(0, x.Type), [0]), x);
        for (int column = 0; column < columns; column++)
        {
            float total = -0f;
            for (int block = 0; block < length; block += 128)
            {
                float sum = -0f;
                for (int i = block; i < Math.Min(block + 128, length); i++)
                {
                    sum += (float)At(x, i, column);
                }
                total += sum;
            }
            Assert.That(actual.As<float>()[column], Is.EqualTo(0 + total), $"column {column}");
        }
    }

    [Test]
    public void HalvesAreRoundedAfterEachInstruction()
    {
        foreach (DType type in (DType[])[DType.F16, DType.BF16])
        {
            Literal x = Values(type, 5, 100);
            Literal y = Values(type, 6, 100);
            Literal actual = Run(b => b.Add(b.Multiply(b.Parameter(0, x.Type), b.Parameter(1, y.Type)), b.Parameter(1, y.Type)), x, y);
            Literal expected = Literal.Generate(x.Type, at =>
            {
                double product = Scalar.FromDouble(type, x[at[0]].AsDouble * y[at[0]].AsDouble).AsDouble;
                return Scalar.FromDouble(type, product + y[at[0]].AsDouble);
            });
            LiteralAssert.AreEqual(actual, expected, type.Name());
        }
    }

    [Test]
    public void DenormalsAreKept()
    {
        Literal x = Literal.From([1e-40f, float.Epsilon, -1.17549435e-38f, 3e-39f], 4);
        Literal actual = Run(b => b.Multiply(b.Parameter(0, x.Type), b.Splat(DType.F32, x.Shape, 0.5)), x);

        Assert.That(actual.As<float>().ToArray(), Is.EqualTo(new[] { 1e-40f * 0.5f, 0f, -5.877472e-39f, 3e-39f * 0.5f }));
    }

    // Of the test vectors that come with the Random123 library, that of a zero counter and key.
    [Test]
    public void RandomBitsAreThoseOfThePublishedTestVector()
    {
        Literal state = Literal.From(new ulong[] { 0, 0 }, 2);
        var module = CompiledModule.Build(b =>
        {
            Node generated = b.Add(
                new RngBitGeneratorOp(RngAlgorithm.Philox, new TensorType(DType.U32, Shape.Of(4))), b.Parameter(0, state.Type));
            return b.Results(generated);
        });
        Literal[] results = CompiledModule.Run(module, [state]);

        Assert.That(results[1].As<uint>().ToArray(), Is.EqualTo(new[] { 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u }));
        Assert.That(results[0].As<ulong>().ToArray(), Is.EqualTo(new ulong[] { 0, 1 }));
    }

    private static Literal Run(Func<GraphBuilder, Node> build, params Literal[] inputs) =>
        CompiledModule.Run(CompiledModule.Build(b => [build(b)]), inputs)[0];

    private static double At(Literal values, params ReadOnlySpan<long> index) => values[index].AsDouble;

    private static Literal Values(DType type, int seed, params long[] shape)
    {
        var random = new Random(seed);
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => Scalar.FromDouble(type, random.NextDouble() - 0.4));
    }

    // What this machine's instruction for bf16 gives (decision 12): k in order where it has none.
    private static Literal ByInstruction(Literal x, Literal y)
    {
        DotInstructions dots = KernelTarget.Of(GraphCompiler.Cpu().Target).Dots;
        long depth = x.Shape[1].Value;
        return Literal.Generate(new TensorType(DType.BF16, [x.Shape[0], y.Shape[1]]), at =>
        {
            float Left(long k) => k < depth ? (float)At(x, at[0], k) : 0;
            float Right(long k) => k < depth ? (float)At(y, k, at[1]) : 0;
            float Chain(float sum, long first, long step, int count)
            {
                for (int i = 0; i < count; i++)
                {
                    long k = first + (i * step);
                    sum = DotArithmetic.MultiplyAdd(sum, Left(k), Right(k));
                }
                return sum;
            }

            float sum = 0;
            if (dots.HasFlag(DotInstructions.TilesOfBrain))
            {
                for (long k = 0; k < depth; k += 32)
                {
                    sum = DotArithmetic.Add(sum, DotArithmetic.Add(Chain(0, k, 2, 16), Chain(0, k + 1, 2, 16)));
                }
            }
            else if (dots.HasFlag(DotInstructions.Brain))
            {
                for (long k = 0; k < depth; k += 2)
                {
                    sum = Chain(sum, k + 1, -1, 2);
                }
            }
            else
            {
                sum = Chain(0, 0, 1, (int)depth);
            }
            return Scalar.FromDouble(DType.BF16, sum);
        });
    }

    // f16 and bf16 add up in f32 and round once.
    private sealed class Total(DType type)
    {
        private double _sum;

        public Scalar Rounded => Scalar.FromDouble(type, _sum);

        public void AddProduct(double x, double y) => _sum = type == DType.F64
            ? Math.FusedMultiplyAdd(x, y, _sum)
            : MathF.FusedMultiplyAdd((float)x, (float)y, (float)_sum);
    }
}
