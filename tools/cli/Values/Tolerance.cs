using System.Globalization;

namespace Graphene.Cli.Values;

/// <summary>When two values count as equal: <c>|a - b| &lt;= Absolute + Relative * |b|</c> for each element, b being expected.</summary>
/// <param name="Relative">Of the expected element.</param>
/// <param name="Absolute">In units of the values.</param>
/// <param name="OfLargest">Another absolute part, as a fraction of the largest finite expected element.</param>
/// <remarks>NaN equals NaN; infinities must be the same. Integers and bools must be equal.</remarks>
internal sealed record Tolerance(double Relative, double Absolute, double OfLargest = 0)
{
    /// <summary>What the runner of the ONNX backend tests allows.</summary>
    public static Tolerance OnnxBackendTests { get; } = new(1e-3, 1e-7);

    /// <summary>What suits whole models: rounding adds up over layers, and outputs may be small differences of large numbers.</summary>
    public static Tolerance OfModels(DType type) =>
        type is DType.F16 or DType.BF16 ? new(1e-2, 1e-3, 1e-5) : new(1e-3, 1e-4, 1e-5);

    /// <summary>Compares a computed value with the expected one.</summary>
    /// <returns>Null when they are equal within the tolerance, else what differs, in one line.</returns>
    public string? Difference(Literal actual, Literal expected)
    {
        if (TypeDifference(actual, expected) is { } typeDifference)
        {
            return typeDifference;
        }
        double absolute = OfLargest > 0 ? Math.Max(Absolute, OfLargest * LargestFinite(expected)) : Absolute;
        bool exact = !expected.DType.IsFloating();
        long wrong = 0;
        long worst = -1;
        double worstExcess = 0;
        for (long i = 0; i < expected.ElementCount; i++)
        {
            double excess = exact
                ? (actual[i] == expected[i] ? 0 : double.PositiveInfinity)
                : Excess(actual[i].AsDouble, expected[i].AsDouble, absolute);
            if (excess > 0)
            {
                wrong++;
                if (excess > worstExcess)
                {
                    (worst, worstExcess) = (i, excess);
                }
            }
        }
        return wrong == 0
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{wrong} of {expected.ElementCount} elements differ, most at {Index(expected.Shape, worst)}: " +
                $"{actual[worst]}, expected {expected[worst]}");
    }

    /// <summary>Compares element type and shape only.</summary>
    public static string? TypeDifference(Literal actual, Literal expected) =>
        actual.DType == expected.DType && actual.Shape.Equals(expected.Shape)
            ? null
            : $"the result is {actual.Type}, expected {expected.Type}";

    private double Excess(double actual, double expected, double absolute)
    {
        if (double.IsNaN(actual) || double.IsNaN(expected))
        {
            return double.IsNaN(actual) && double.IsNaN(expected) ? 0 : double.PositiveInfinity;
        }
        if (!double.IsFinite(actual) || !double.IsFinite(expected))
        {
            return actual == expected ? 0 : double.PositiveInfinity;
        }
        return Math.Max(0, Math.Abs(actual - expected) - (absolute + (Relative * Math.Abs(expected))));
    }

    private static double LargestFinite(Literal value)
    {
        double largest = 0;
        for (long i = 0; i < value.ElementCount; i++)
        {
            double x = Math.Abs(value[i].AsDouble);
            largest = double.IsFinite(x) ? Math.Max(largest, x) : largest;
        }
        return largest;
    }

    private static string Index(Shape shape, long position)
    {
        var index = new long[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            (position, index[axis]) = Math.DivRem(position, shape[axis].Value);
        }
        return $"[{string.Join(", ", index)}]";
    }
}
