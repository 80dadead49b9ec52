using System.Globalization;

namespace Graphene.Runtime;

/// <summary>The elements of a tensor in a few words.</summary>
internal static unsafe class TensorSummary
{
    /// <summary>The range of the finite elements, and how many are NaN or infinite.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="elements">The first element.</param>
    /// <param name="count">How many there are.</param>
    public static string Of(DType type, byte* elements, long count)
    {
        double least = double.PositiveInfinity;
        double most = double.NegativeInfinity;
        long nans = 0;
        long infinities = 0;
        for (long i = 0; i < count; i++)
        {
            double x = Read(type, elements + (i * type.SizeInBytes())).AsDouble;
            if (double.IsFinite(x))
            {
                least = Math.Min(least, x);
                most = Math.Max(most, x);
            }
            else if (double.IsNaN(x))
            {
                nans++;
            }
            else
            {
                infinities++;
            }
        }
        var parts = new List<string>();
        if (least <= most)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{least:G6} to {most:G6}"));
        }
        if (nans > 0)
        {
            parts.Add($"{nans} of {count} NaN");
        }
        if (infinities > 0)
        {
            parts.Add($"{infinities} of {count} infinite");
        }
        return parts.Count == 0 ? "[no elements]" : $"[{string.Join(", ", parts)}]";
    }

    private static Scalar Read(DType type, byte* element) => Scalar.FromBits(type, type.SizeInBytes() switch
    {
        1 => *element,
        2 => *(ushort*)element,
        4 => *(uint*)element,
        _ => *(ulong*)element,
    });
}
