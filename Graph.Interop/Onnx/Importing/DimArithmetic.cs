namespace Graphene.Interop.Onnx.Importing;

/// <summary>What ONNX computes with integers, of dims; null where it cannot be told for all values of the symbols.</summary>
internal static class DimArithmetic
{
    /// <summary>Not known. A bare null would be taken for a reference, since numbers convert to dims implicitly.</summary>
    public static Dim? Unknown => null;

    /// <summary>The quotient of integers.</summary>
    /// <remarks>ONNX divides towards zero, dims divide downwards: the same for operands that are not negative.</remarks>
    public static Dim? Divide(Dim x, Dim y)
    {
        if (x.IsStatic && y.IsStatic)
        {
            return y == 0 || (x == long.MinValue && y == -1) ? Unknown : x.Value / y.Value;
        }
        return x.Range.Min >= 0 && y.Range.Min > 0 ? Dim.FloorDiv(x, y) : Unknown;
    }

    /// <summary>The remainder of integers.</summary>
    public static Dim? Remainder(Dim x, Dim y)
    {
        if (x.IsStatic && y.IsStatic)
        {
            return x.Value >= 0 && y.Value > 0 ? x.Value % y.Value : Unknown;
        }
        return x.Range.Min >= 0 && y.Range.Min > 0 ? Dim.Mod(x, y) : Unknown;
    }

    /// <summary>The absolute value.</summary>
    public static Dim? Absolute(Dim x) => x.Range.Min >= 0 ? x : x.Range.Max <= 0 ? x * -1 : Unknown;

    /// <summary>1 where both are equal, 0 where they differ.</summary>
    public static Dim? Equal(Dim x, Dim y) => x.ProvablyEquals(y) ? 1 : x.ProvablyDiffers(y) ? 0 : Unknown;

    /// <summary>1 where the first is less, 0 where it is not.</summary>
    public static Dim? Less(Dim x, Dim y)
    {
        DimRange difference = (x - y).Range;
        return difference.Max < 0 ? 1 : difference.Min >= 0 ? 0 : Unknown;
    }

    /// <summary>1 for 0, and 0 for 1.</summary>
    public static Dim? Not(Dim? x) => x is { } value ? 1 - value : Unknown;
}
