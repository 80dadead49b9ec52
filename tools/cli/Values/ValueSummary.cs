using System.Globalization;
using System.Runtime.InteropServices;

namespace Graphene.Cli.Values;

/// <summary>A value in one short line: its elements when there are few, else their range and mean.</summary>
internal static class ValueSummary
{
    private const int ShownWhole = 8;

    /// <summary>The line.</summary>
    public static string Of(Literal value)
    {
        if (value.ElementCount == 0)
        {
            return "empty";
        }
        if (value.ElementCount <= ShownWhole)
        {
            return "[" + string.Join(", ", Enumerable.Range(0, (int)value.ElementCount).Select(i => Short(value[i]))) + "]";
        }
        return value.DType switch
        {
            DType.Bool => $"{Count(value, s => s.AsBool)} of {value.ElementCount} true",
            _ => Range(value),
        };
    }

    private static string Range(Literal value)
    {
        double min = double.PositiveInfinity;
        double max = double.NegativeInfinity;
        double sum = 0;
        long finite = 0;
        long nan = 0;
        ReadOnlySpan<float> floats = value.DType == DType.F32 ? MemoryMarshal.Cast<byte, float>(value.Bytes.Span) : [];
        for (int i = 0; i < value.ElementCount; i++)
        {
            double x = floats.IsEmpty ? value[i].AsDouble : floats[i];
            if (double.IsNaN(x))
            {
                nan++;
                continue;
            }
            min = Math.Min(min, x);
            max = Math.Max(max, x);
            if (double.IsFinite(x))
            {
                sum += x;
                finite++;
            }
        }
        string range = nan == value.ElementCount ? "" : $"min {Short(min)}, max {Short(max)}, mean {Short(sum / Math.Max(finite, 1))}";
        string notANumber = nan == 0 ? "" : $"{nan} NaN";
        return string.Join(", ", new[] { range, notANumber }.Where(s => s.Length > 0));
    }

    private static long Count(Literal value, Func<Scalar, bool> predicate)
    {
        long count = 0;
        for (long i = 0; i < value.ElementCount; i++)
        {
            count += predicate(value[i]) ? 1 : 0;
        }
        return count;
    }

    private static string Short(Scalar value) => value.DType.IsFloating() ? Short(value.AsDouble) : value.ToString();

    private static string Short(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
