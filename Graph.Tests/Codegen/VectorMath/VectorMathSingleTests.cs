using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>f32 vector math against references in f64, over the whole range of inputs.</summary>
internal sealed class VectorMathSingleTests
{
    private const int Lanes = 8;

    // Where formulas change over, overflow, underflow or cancel.
    private static readonly float[] Places =
    [
        0, float.Epsilon, 1.17549435e-38f, 1e-30f, 1e-9f, 1e-4f, 0.2033f, 0.25f, 0.2621f, 0.35f, 0.5f, 0.55f, 0.6098f, 0.6931472f, 0.70710678f,
        0.785398163f, 0.921875f, 1, 1.0163f, 1.3103f, 1.41421356f, 1.57079633f, 1.8293f, 2, 2.35619449f, 2.8826f, 3.14159265f, 3.93f, 4, 4.2683f, 5.8943f,
        8.5f, 9.125f, 10,
        17.3f, 18, 22, 87.33654f, 88.37f, 88.72284f, 89, 103.27893f, 103.97208f, 104, 1000, 131071.99f, 131072, 131073,
        8388608, 16777216, 1e10f, 1e20f, 16367173f * 4503599627370496f * 1048576, 1e30f, float.MaxValue,
        float.PositiveInfinity,
    ];

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void EveryPartOfTheRangeIsAccurate(ScalarOp op) => Sweep(op, 40009);

    [Category("Large")]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void TheWholeRangeIsAccurate(ScalarOp op) => Sweep(op, 41);

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void WithoutFusedMultiplyAddTheyAreAccurateToo(ScalarOp op)
    {
        RequireX64();
        Sweep(op, 200_003, LlvmTarget.X64);
        Check(op, [.. Places.SelectMany(Neighbours), float.NaN], target: LlvmTarget.X64);
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void WithoutFusedMultiplyAddPairsAreAccurateToo(ScalarOp op)
    {
        RequireX64();
        var random = new Random(12);
        float[] x = [.. Enumerable.Range(0, 100_000).Select(_ => SampleNumbers.Single(random))];
        float[] y = [.. Enumerable.Range(0, 100_000).Select(_ => SampleNumbers.Single(random))];
        Check(op, x, y, LlvmTarget.X64);
    }

    [Explicit("a minute or two")]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void WithoutFusedMultiplyAddMuchOfTheRangeIsAccurate(ScalarOp op)
    {
        RequireX64();
        Sweep(op, 401, LlvmTarget.X64);
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void NeighbourhoodsOfSpecialPlacesAreAccurate(ScalarOp op)
    {
        float[] inputs = [.. Places.SelectMany(Neighbours), float.NaN];

        Check(op, inputs);
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void AnyNumberOfLanesGivesTheSameBits(ScalarOp op)
    {
        float[] inputs = [.. Places.SelectMany(Neighbours).Where((_, i) => i % 5 == 0), float.NaN];
        int[] expected = Bits(VectorMathRunner.Run(op, 1, inputs));

        foreach (int lanes in (int[])[4, 8, 16])
        {
            Assert.That(Bits(VectorMathRunner.Run(op, lanes, inputs)), Is.EqualTo(expected), $"{lanes} lanes");
        }
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void PairsAreAccurate(ScalarOp op)
    {
        var random = new Random(11);
        float[] x = [.. Enumerable.Range(0, 100_000).Select(_ => SampleNumbers.Single(random))];
        float[] y = [.. Enumerable.Range(0, 100_000).Select(_ => SampleNumbers.Single(random))];

        Check(op, x, y);
    }

    [Test]
    public void CubesAreRoundedOnce()
    {
        float[] inputs = [.. Places.SelectMany(Neighbours).SelectMany(x => (float[])[x, -x, MathF.Cbrt(x)]), float.NaN];
        int[] expected = Bits([.. inputs.Select(x => (float)((double)x * x * x))]);

        foreach (int lanes in (int[])[1, 8, 16])
        {
            float[] cubes = VectorMathRunner.Run(
                x => KBuilder.Call(
                    ScalarOp.Power, x[0],
                    KBuilder.Broadcast(new KConstant(Scalar.FromDouble(DType.F32, 3), 1), x[0].Type.Lanes)),
                lanes, inputs);
            Assert.That(Bits(cubes), Is.EqualTo(expected), $"{lanes} lanes");
        }
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void SpecialPairsAreExact(ScalarOp op)
    {
        float[] values =
        [
            0, 0.5f, 1, 1.5f, 2, 3, 4, 16777215, 16777216, 1e30f, float.Epsilon, 1e-40f, 0.99999994f, 1.0000001f,
            float.MaxValue, float.PositiveInfinity, float.NaN,
        ];
        values = [.. values, .. values.Select(v => -v)];
        float[] x = [.. values.SelectMany(_ => values)];
        float[] y = [.. values.SelectMany(v => Enumerable.Repeat(v, values.Length))];

        Check(op, x, y);
    }

    private static void RequireX64()
    {
        if (LlvmTarget.Host().Architecture != LlvmArchitecture.X64)
        {
            Assert.Ignore("x86-64 code runs on x86-64 alone");
        }
    }

    private static void Sweep(ScalarOp op, uint stride, LlvmTarget? target = null)
    {
        const int Chunk = 1 << 20;
        for (ulong start = 0; start < 1UL << 32; start += (ulong)Chunk * stride)
        {
            ulong first = start;
            int count = (int)Math.Min(Chunk, (((1UL << 32) - first) + stride - 1) / stride);
            float[] inputs = new float[count];
            for (int i = 0; i < count; i++)
            {
                inputs[i] = BitConverter.UInt32BitsToSingle((uint)(first + ((ulong)i * stride)));
            }
            Check(op, inputs, target: target);
        }
    }

    [Test]
    public void TheTangentOfNoNumberExceedsOneAndOfTinyOnesIsTheNumber()
    {
        float[] large = [.. Between(6, 9.5f), float.MaxValue, float.PositiveInfinity];
        float[] tiny = [.. Between(1e-10f, 1.01e-10f), float.Epsilon, 1e-40f, float.MinValue * 0];

        Assert.That(VectorMathRunner.Run(ScalarOp.HyperbolicTangent, Lanes, large), Is.All.InRange(0.9999f, 1));
        Assert.That(Bits(VectorMathRunner.Run(ScalarOp.HyperbolicTangent, Lanes, tiny)), Is.EqualTo(Bits(tiny)));
    }

    private static IEnumerable<float> Between(float low, float high) => Enumerable
        .Range(BitConverter.SingleToInt32Bits(low), BitConverter.SingleToInt32Bits(high) - BitConverter.SingleToInt32Bits(low))
        .Select(BitConverter.Int32BitsToSingle);

    private static void Check(ScalarOp op, float[] x, float[]? y = null, LlvmTarget? target = null)
    {
        float[] actual = y is null
            ? VectorMathRunner.Run(op, Lanes, target, x)
            : VectorMathRunner.Run(op, Lanes, target, x, y);
        double bound = VectorMathRunner.MaxUlp(op, DType.F32);
        double worst = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double exact = MathReference.OfSingle(op, x[i], y?[i] ?? 0);
            double distance = UlpMeter.Distance(actual[i], exact);
            if (!(distance <= bound))
            {
                Assert.Fail($"{op}({x[i]:R}, {y?[i]:R}) = {actual[i]:R}, exact {exact:R}: {distance} ulp");
            }
            worst = Math.Max(worst, distance);
        }
        TestContext.Out.WriteLine($"{op}: {worst:F4} ulp");
    }

    private static IEnumerable<float> Neighbours(float place)
    {
        int bits = BitConverter.SingleToInt32Bits(place);
        for (int i = Math.Max(0, bits - 40); i <= bits + 40 && i <= 0x7F800000; i++)
        {
            yield return BitConverter.Int32BitsToSingle(i);
            yield return -BitConverter.Int32BitsToSingle(i);
        }
    }

    private static int[] Bits(float[] values) =>
        Array.ConvertAll(values, v => float.IsNaN(v) ? int.MaxValue : BitConverter.SingleToInt32Bits(v));
}
