using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>f64 vector math against references of 300 bits.</summary>
internal sealed class VectorMathDoubleTests
{
    private const int Lanes = 4;

    private static readonly double[] Special =
    [
        0, double.Epsilon, 2.2250738585072014e-308, 1e-300, 1e-18, 0.5, 1, 2, 3, 20, 40, 710, 746, 1048576, 1e300,
        double.MaxValue, double.PositiveInfinity, double.NaN,
    ];

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void RandomNumbersAreAccurate(ScalarOp op) => Check(op, 400);

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void WithoutFusedMultiplyAddTheyAreAccurateToo(ScalarOp op)
    {
        if (LlvmTarget.Host().Architecture != LlvmArchitecture.X64)
        {
            Assert.Ignore("x86-64 code runs on x86-64 alone");
        }
        Check(op, 400, LlvmTarget.X64);
    }

    [Explicit("a minute or two")]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void WithoutFusedMultiplyAddManyAreAccurate(ScalarOp op) => Check(op, 40_000, LlvmTarget.X64);

    [Category("Large")]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void ManyRandomNumbersAreAccurate(ScalarOp op) => Check(op, 40_000);

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void SpecialNumbersAreThoseOfTheSystemsLibrary(ScalarOp op)
    {
        double[] x = [.. Special, .. Special.Select(v => -v)];
        double[] actual = VectorMathRunner.Run(op, Lanes, x);

        for (int i = 0; i < x.Length; i++)
        {
            AssertClose(op, x[i], 0, actual[i]);
        }
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Binary))]
    public void SpecialPairsAreThoseOfTheSystemsLibrary(ScalarOp op)
    {
        double[] values = [.. Special, .. Special.Select(v => -v)];
        double[] x = [.. values.SelectMany(_ => values)];
        double[] y = [.. values.SelectMany(v => Enumerable.Repeat(v, values.Length))];
        double[] actual = VectorMathRunner.Run(op, Lanes, x, y);

        for (int i = 0; i < x.Length; i++)
        {
            AssertClose(op, x[i], y[i], actual[i]);
        }
    }

    [TestCaseSource(typeof(VectorMathRunner), nameof(VectorMathRunner.Unary))]
    public void AnyNumberOfLanesGivesTheSameBits(ScalarOp op)
    {
        var random = new Random(3);
        double[] x = [.. Special, .. Enumerable.Range(0, 300).Select(_ => SampleNumbers.Double(random))];
        double[] expected = VectorMathRunner.Run(op, 1, x);

        foreach (int lanes in (int[])[2, 4, 8])
        {
            double[] actual = VectorMathRunner.Run(op, lanes, x);
            Assert.That(actual.Select(BitConverter.DoubleToInt64Bits), Is.EqualTo(expected.Select(BitConverter.DoubleToInt64Bits)));
        }
    }

    private static void Check(ScalarOp op, int count, LlvmTarget? target = null)
    {
        var random = new Random(17);
        double[] x = [.. Enumerable.Range(0, count).Select(_ => SampleNumbers.Double(random))];
        double[] y = [.. Enumerable.Range(0, count).Select(_ => SampleNumbers.Double(random))];
        double[] actual = VectorMathRunner.Binary.Contains(op)
            ? VectorMathRunner.Run(op, Lanes, target, x, y)
            : VectorMathRunner.Run(op, Lanes, target, x);
        double worst = 0;
        int compared = 0;
        for (int i = 0; i < count; i++)
        {
            if (!IsModerate(op, x[i], y[i]) || MathReference.OfDouble(op, x[i], y[i]) is not { } exact)
            {
                continue;
            }
            compared++;
            double distance = exact.UlpsTo(actual[i]);
            if (!(distance <= VectorMathRunner.MaxUlp(op, DType.F64)))
            {
                Assert.Fail($"{op}({x[i]:R}, {y[i]:R}) = {actual[i]:R}, exact {exact.ToDouble():R}: {distance} ulp");
            }
            worst = Math.Max(worst, distance);
        }
        TestContext.Out.WriteLine($"{op}: {worst:F4} ulp");
        Assert.That(compared, Is.GreaterThan(count / 4));
    }

    // The reference has no infinities and no NaN, and its exponential no end.
    private static bool IsModerate(ScalarOp op, double x, double y) => double.IsFinite(x) && double.IsFinite(y) && op switch
    {
        ScalarOp.Exponential or ScalarOp.ExponentialMinusOne or ScalarOp.Logistic or ScalarOp.HyperbolicTangent =>
            Math.Abs(x) < 1000,
        ScalarOp.Power => Math.Abs(y * Math.Log(x)) < 1000,
        _ => true,
    };

    // Both the library and we may be an ulp or two from the truth.
    private static void AssertClose(ScalarOp op, double x, double y, double actual)
    {
        double expected = MathReference.OfSingle(op, x, y);
        bool isExact = !double.IsFinite(expected) || expected == 0;
        Assert.That(actual, isExact ? Is.EqualTo(expected) : Is.EqualTo(expected).Within(8).Ulps, $"{op}({x:R}, {y:R})");
        if (expected == 0)
        {
            Assert.That(double.IsNegative(actual), Is.EqualTo(double.IsNegative(expected)), $"{op}({x:R}, {y:R})");
        }
    }
}
