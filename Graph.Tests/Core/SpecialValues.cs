namespace Graphene.Tests.Core;

/// <summary>The values of each dtype at which functions go wrong.</summary>
internal static class SpecialValues
{
    private static readonly double[] Reals =
    [
        double.NaN, double.NegativeInfinity, double.PositiveInfinity, -0.0, 0.0, 1, -1, 2, -2.5, 0.5, -0.5, 1.5, 3,
        1e-3, -1e-3,
        0.3, 10, -7,
        100.25, 30000, -60000,
    ];

    /// <summary>Every dtype that ops compute with.</summary>
    public static IEnumerable<DType> Types => Enum.GetValues<DType>().Where(t => DTypeSet.All.Contains(t));

    /// <summary>The values of a dtype.</summary>
    public static Scalar[] Of(DType type)
    {
        if (type == DType.Bool)
        {
            return [Scalar.FromBool(false), Scalar.FromBool(true)];
        }
        if (type.IsFloating())
        {
            ulong one = Scalar.One(type).Bits;
            ulong infinity = Scalar.Highest(type).Bits;
            Scalar[] extremes = [.. new[] { 1UL, one + 1, one - 1, infinity - 1 }.Select(bits => Scalar.FromBits(type, bits))];
            return [.. Reals.Select(x => Scalar.FromDouble(type, x)), .. extremes];
        }
        Scalar lowest = Scalar.Lowest(type);
        Scalar highest = Scalar.Highest(type);
        Int128[] values =
        [
            0, 1, -1, 2, 3, -3, 7, 8, 31, 32, 63, 64, 100, lowest.AsInteger, lowest.AsInteger + 1, highest.AsInteger,
            highest.AsInteger - 1, highest.AsInteger / 2, ((Int128)1 << 24) + 1, ((Int128)1 << 53) + 1, ((Int128)1 << 62) + (1 << 30),
        ];
        return [.. values.Select(v => Scalar.FromInteger(type, v)).Distinct()];
    }

    /// <summary>The values of a dtype as a vector.</summary>
    public static Literal Vector(DType type)
    {
        Scalar[] values = Of(type);
        return Literal.Generate(new TensorType(type, Shape.Of(values.Length)), at => values[at[0]]);
    }
}
