using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

/// <summary>Trigonometric and hyperbolic composites against .NET's double precision functions, to a few ulp of f32 and f64.</summary>
internal sealed class InverseFunctionTests
{
    private static readonly double[] Everywhere =
    [
        double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.0, 0.0, 1, -1, 2, -2, 0.5, -0.5, 1e-8, -1e-8, 1e-30, 0.9999999,
        1.0000001, -0.9999999, 3.7, 19.9, 20.1, 88.9, -89.3, 700, 710.1, 4000, 1e5, 1e9, -1e19, 1e30, -1e38, 1e300,
    ];

    private static IEnumerable<TestCaseData> Functions()
    {
        yield return Case("acos", (b, x) => b.ArcCosine(x), Math.Acos);
        yield return Case("asin", (b, x) => b.ArcSine(x), Math.Asin);
        yield return Case("atan", (b, x) => b.ArcTangent(x), Math.Atan);
        yield return Case("sinh", (b, x) => b.HyperbolicSine(x), Math.Sinh);
        yield return Case("cosh", (b, x) => b.HyperbolicCosine(x), Math.Cosh);
        yield return Case("asinh", (b, x) => b.InverseHyperbolicSine(x), Math.Asinh);
        yield return Case("acosh", (b, x) => b.InverseHyperbolicCosine(x), Math.Acosh);
        yield return Case("atanh", (b, x) => b.InverseHyperbolicTangent(x), Math.Atanh);
    }

    [TestCaseSource(nameof(Functions))]
    public void FollowsTheDefinitionOverTheFullRange(Func<GraphBuilder, Node, Node> build, Func<double, double> expected)
    {
        Check(DType.F32, build, expected, 6e-7);
        Check(DType.F64, build, expected, 1e-14);
        Check(DType.BF16, build, expected, 4e-3);
    }

    [Test]
    public void TheComplementOfTheErrorFunctionIsAccurateInItsTail()
    {
        (double X, double Erfc)[] table =
        [
            (0.4, 0.5716076449533315), (0.5, 0.4795001221869535), (0.75, 0.28884436634648486), (1, 0.15729920705028513),
            (2, 0.004677734981047266), (3.3, 3.0577097964381614e-06), (5, 1.5374597944280349e-12), (8, 1.1224297172982928e-29),
            (-0.3, 1.328626759459127), (-3, 1.9999779095030015), (30, 0), (double.PositiveInfinity, 0), (double.NegativeInfinity, 2),
            (double.NaN, double.NaN),
        ];
        Check(DType.F64, (b, x) => b.ErrorFunctionComplement(x), x => Look(x), 4e-15, [.. table.Select(row => row.X)]);
        Check(DType.F32, (b, x) => b.ErrorFunctionComplement(x), x => Look(x), 2e-6, [.. table.Select(row => row.X)]);

        // The table holds at the f64 arguments; the slope carries it to their f32 neighbours.
        double Look(double x)
        {
            (double x0, double y0) = table.MinBy(row => row.X.Equals(x) ? 0 : Math.Abs(row.X - x) is var d && !double.IsNaN(d) ? d : 1e9);
            return x.Equals(x0) ? y0 : y0 - ((x - x0) * 2 / Math.Sqrt(Math.PI) * Math.Exp(-x0 * x0));
        }
    }

    private static void Check(
        DType type, Func<GraphBuilder, Node, Node> build, Func<double, double> expected, double tolerance, double[]? inputs = null)
    {
        Scalar[] values = [.. (inputs ?? Everywhere).Select(x => Scalar.FromDouble(type, x))];
        Literal x = Literal.Generate(new TensorType(type, Shape.Of(values.Length)), at => values[at[0]]);
        Literal y = One(b => build(b, b.Constant(x)));
        for (int i = 0; i < values.Length; i++)
        {
            double want = Scalar.FromDouble(type, expected(values[i].AsDouble)).AsDouble;
            double have = y[i].AsDouble;
            bool isRight = want.Equals(have) || Math.Abs(have - want) <= tolerance * Math.Abs(want) ||
                (double.IsInfinity(want) && Math.Abs(have) > 0.99 * double.MaxValue) || (have == 0 && Math.Abs(want) < 1e-37);
            Assert.That(isRight, $"{type.Name()}: at {values[i]} the result is {have}, not {want}");
            Assert.That(want != 0 || double.IsNegative(want) == double.IsNegative(have), $"{type.Name()}: the sign at {values[i]}");
        }
    }

    private static TestCaseData Case(string name, Func<GraphBuilder, Node, Node> build, Func<double, double> expected) =>
        new TestCaseData(build, expected).SetArgDisplayNames(name);
}
