namespace Graphene.Bench;

/// <summary>How far outputs are from what is expected.</summary>
/// <param name="Value">The largest absolute difference of an output over the output's largest absolute value.</param>
/// <param name="Output">The output where that is.</param>
/// <remarks>Relative to the largest value, since elements that are small differences of large numbers have no precision of their own.</remarks>
internal sealed record OutputDifference(double Value, string Output)
{
    /// <summary>The worst of all expected outputs; infinite for one that is missing, of another type, or not finite elsewhere.</summary>
    public static OutputDifference Worst(
        IReadOnlyDictionary<string, Literal> actual, IReadOnlyDictionary<string, Literal> expected) =>
        expected.Select(e => new OutputDifference(
                actual.TryGetValue(e.Key, out Literal? value) ? Between(value, e.Value) : double.PositiveInfinity, e.Key))
            .DefaultIfEmpty(new OutputDifference(double.PositiveInfinity, "")).MaxBy(d => d.Value)!;

    // f32 may be held against f64; everything else must be of one type.
    private static double Between(Literal actual, Literal expected)
    {
        bool isWider = actual.DType == DType.F32 && expected.DType == DType.F64;
        if (!actual.Shape.Equals(expected.Shape) || (actual.DType != expected.DType && !isWider))
        {
            return double.PositiveInfinity;
        }
        double difference = 0;
        double largest = 0;
        for (long i = 0; i < expected.ElementCount; i++)
        {
            double x = actual[i].AsDouble;
            double y = expected[i].AsDouble;
            if (!double.IsFinite(x) || !double.IsFinite(y))
            {
                if (!x.Equals(y))
                {
                    return double.PositiveInfinity;
                }
                continue;
            }
            difference = Math.Max(difference, Math.Abs(x - y));
            largest = Math.Max(largest, Math.Abs(y));
        }
        return difference == 0 ? 0 : difference / largest;
    }
}
