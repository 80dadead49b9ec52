using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>The corner values of the elementwise functions, as their rows' summaries pin them.</summary>
public sealed class ElementwiseReferenceTests
{
    private static readonly double Nan = double.NaN;
    private static readonly double Inf = double.PositiveInfinity;

    private static IEnumerable<TestCaseData> FloatingCases()
    {
        yield return Case(ElementwiseTable.Maximum, Nan, 1, Nan);
        yield return Case(ElementwiseTable.Maximum, Nan, Nan, 1);
        yield return Case(ElementwiseTable.Maximum, 0.0, -0.0, 0.0);
        yield return Case(ElementwiseTable.Minimum, -0.0, 0.0, -0.0);
        yield return Case(ElementwiseTable.Minimum, Nan, -Inf, Nan);
        yield return Case(ElementwiseTable.Divide, Inf, 1, 0.0);
        yield return Case(ElementwiseTable.Divide, -Inf, 1, -0.0);
        yield return Case(ElementwiseTable.Divide, Nan, 0.0, 0);
        yield return Case(ElementwiseTable.Remainder, -1, -7, 3);
        yield return Case(ElementwiseTable.Remainder, -0.0, -6, 3);
        yield return Case(ElementwiseTable.Remainder, 5, 5, Inf);
        yield return Case(ElementwiseTable.Remainder, Nan, 5, 0);
        yield return Case(ElementwiseTable.Power, 1, Nan, 0);
        yield return Case(ElementwiseTable.Power, 1, 1, Nan);
        yield return Case(ElementwiseTable.Power, 1, -1, Inf);
        yield return Case(ElementwiseTable.Power, -Inf, -0.0, -1);
        yield return Case(ElementwiseTable.Power, Nan, -8, 1.0 / 3);
        yield return Case(ElementwiseTable.Sign, -0.0, -0.0);
        yield return Case(ElementwiseTable.Sign, Nan, Nan);
        yield return Case(ElementwiseTable.Sign, -1, -Inf);
        yield return Case(ElementwiseTable.Abs, 0.0, -0.0);
        yield return Case(ElementwiseTable.Negate, -0.0, 0.0);
        yield return Case(ElementwiseTable.RoundNearestEven, 2, 2.5);
        yield return Case(ElementwiseTable.RoundNearestEven, -0.0, -0.5);
        yield return Case(ElementwiseTable.RoundNearestAfz, 3, 2.5);
        yield return Case(ElementwiseTable.RoundNearestAfz, -1, -0.5);
        yield return Case(ElementwiseTable.RoundNearestAfz, 0, 0.49999997f);
        yield return Case(ElementwiseTable.Floor, -1, -0.25);
        yield return Case(ElementwiseTable.Ceil, -0.0, -0.25);
        yield return Case(ElementwiseTable.SquareRoot, -0.0, -0.0);
        yield return Case(ElementwiseTable.SquareRoot, Nan, -1);
        yield return Case(ElementwiseTable.ReciprocalSquareRoot, -Inf, -0.0);
        yield return Case(ElementwiseTable.CubeRoot, -2, -8);
        yield return Case(ElementwiseTable.Exponential, 0, -Inf);
        yield return Case(ElementwiseTable.ExponentialMinusOne, -1, -Inf);
        yield return Case(ElementwiseTable.ExponentialMinusOne, -0.0, -0.0);
        yield return Case(ElementwiseTable.ExponentialMinusOne, 1e-30f, 1e-30f);
        yield return Case(ElementwiseTable.Log, -Inf, -0.0);
        yield return Case(ElementwiseTable.Log, Nan, -1);
        yield return Case(ElementwiseTable.LogPlusOne, -Inf, -1);
        yield return Case(ElementwiseTable.LogPlusOne, 1e-30f, 1e-30f);
        yield return Case(ElementwiseTable.LogPlusOne, Inf, Inf);
        yield return Case(ElementwiseTable.Logistic, 0, -Inf);
        yield return Case(ElementwiseTable.Logistic, 1, Inf);
        yield return Case(ElementwiseTable.Logistic, 0.5, 0);
        yield return Case(ElementwiseTable.HyperbolicTangent, -1, -Inf);
        yield return Case(ElementwiseTable.ErrorFunction, -1, -Inf);
        yield return Case(ElementwiseTable.ErrorFunction, -0.0, -0.0);
        yield return Case(ElementwiseTable.ErrorFunction, 0.8427008f, 1);
        yield return Case(ElementwiseTable.ErrorFunction, 0.9999779f, 3);
        yield return Case(ElementwiseTable.Sine, Nan, Inf);
        yield return Case(ElementwiseTable.ArcTangent2, Math.PI, 0.0, -0.0);
        yield return Case(ElementwiseTable.ArcTangent2, -Math.PI, -0.0, -1);
        yield return Case(ElementwiseTable.ArcTangent2, Math.PI / 4, Inf, Inf);
    }

    private static IEnumerable<TestCaseData> IntegerCases()
    {
        yield return IntegerCase(ElementwiseTable.Abs, DType.I8, -128, -128);
        yield return IntegerCase(ElementwiseTable.Add, DType.I32, int.MinValue, int.MaxValue, 1);
        yield return IntegerCase(ElementwiseTable.Add, DType.Bool, 1, 1, 1);
        yield return IntegerCase(ElementwiseTable.Divide, DType.I32, -1, 5, 0);
        yield return IntegerCase(ElementwiseTable.Divide, DType.U8, 255, 5, 0);
        yield return IntegerCase(ElementwiseTable.Divide, DType.I64, long.MinValue, long.MinValue, -1);
        yield return IntegerCase(ElementwiseTable.Divide, DType.I32, -2, -7, 3);
        yield return IntegerCase(ElementwiseTable.Remainder, DType.I32, -1, -7, 3);
        yield return IntegerCase(ElementwiseTable.Remainder, DType.I32, 5, 5, 0);
        yield return IntegerCase(ElementwiseTable.Remainder, DType.I32, 0, int.MinValue, -1);
        yield return IntegerCase(ElementwiseTable.Multiply, DType.U64, 1, -1, -1);
        yield return IntegerCase(ElementwiseTable.Negate, DType.U8, 255, 1);
        yield return IntegerCase(ElementwiseTable.Power, DType.U64, 3125, 5, 5);
        yield return IntegerCase(ElementwiseTable.Power, DType.I32, 1, 0, 0);
        yield return IntegerCase(ElementwiseTable.Power, DType.I32, -1, -1, -3);
        yield return IntegerCase(ElementwiseTable.Power, DType.I32, 1, -1, -4);
        yield return IntegerCase(ElementwiseTable.Power, DType.I32, 0, 2, -1);
        yield return IntegerCase(ElementwiseTable.Power, DType.I8, -128, -2, 7);
        yield return IntegerCase(ElementwiseTable.Not, DType.Bool, 0, 1);
        yield return IntegerCase(ElementwiseTable.Not, DType.U8, 254, 1);
        yield return IntegerCase(ElementwiseTable.CountLeadingZeros, DType.I16, 0, -1);
        yield return IntegerCase(ElementwiseTable.CountLeadingZeros, DType.I16, 16, 0);
        yield return IntegerCase(ElementwiseTable.PopulationCount, DType.I32, 32, -1);
        yield return IntegerCase(ElementwiseTable.ShiftLeft, DType.I32, 0, 1, 32);
        yield return IntegerCase(ElementwiseTable.ShiftLeft, DType.I32, 0, 1, -1);
        yield return IntegerCase(ElementwiseTable.ShiftLeft, DType.I64, -2, -1, 1);
        yield return IntegerCase(ElementwiseTable.ShiftRightLogical, DType.I8, 127, -1, 1);
        yield return IntegerCase(ElementwiseTable.ShiftRightArithmetic, DType.I8, -1, -1, 100);
        yield return IntegerCase(ElementwiseTable.ShiftRightArithmetic, DType.U8, 255, 128, 8);
        yield return IntegerCase(ElementwiseTable.ShiftRightArithmetic, DType.U8, 192, 128, 1);
        yield return IntegerCase(ElementwiseTable.Sign, DType.I32, -1, int.MinValue);
        yield return IntegerCase(ElementwiseTable.Maximum, DType.U8, 200, 100, 200);
    }

    [TestCaseSource(nameof(FloatingCases))]
    public void FloatingCornersAreAsPinned(ElementwiseFn fn, double expected, double[] x)
    {
        Scalar result = Evaluate(fn, DType.F32, [.. x.Select(v => Scalar.FromDouble(DType.F32, v))]);
        Scalar wanted = Scalar.FromDouble(DType.F32, expected);
        Assert.That(
            result == wanted || (double.IsNaN(expected) && double.IsNaN(result.AsDouble)),
            $"{fn}({string.Join(", ", x)}) is {result}, not {wanted}");
    }

    [TestCaseSource(nameof(IntegerCases))]
    public void IntegerCornersAreAsPinned(ElementwiseFn fn, DType type, long expected, long[] x) => Assert.That(
        Evaluate(fn, type, [.. x.Select(v => Scalar.FromInteger(type, v))]), Is.EqualTo(Scalar.FromInteger(type, expected)));

    [Test]
    public void EveryRowIsListed()
    {
        IEnumerable<object?> rows = typeof(ElementwiseTable).GetFields()
            .Where(f => f.FieldType == typeof(ElementwiseFn)).Select(f => f.GetValue(null));
        Assert.That(ElementwiseTable.All, Is.EquivalentTo(rows));
        Assert.That(ElementwiseTable.All, Has.All.Matches<ElementwiseFn>(fn => ElementwiseTable.Find(fn!.Name) == fn));
    }

    private static Scalar Evaluate(ElementwiseFn fn, DType type, Scalar[] x)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. x.Select((_, i) => b.Parameter(i, TensorType.Scalar(type)))];
        return Evaluator.ApplyScalars(b.Build("case", [b.Elementwise(fn, parameters)]), x)[0];
    }

    private static TestCaseData Case(ElementwiseFn fn, double expected, params double[] x) =>
        new TestCaseData(fn, expected, x).SetArgDisplayNames(fn.Name, string.Join(";", x));

    private static TestCaseData IntegerCase(ElementwiseFn fn, DType type, long expected, params long[] x) =>
        new TestCaseData(fn, type, expected, x).SetArgDisplayNames(fn.Name, type.Name(), string.Join(";", x));
}
