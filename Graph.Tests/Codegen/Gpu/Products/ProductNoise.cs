namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Operands of products.</summary>
internal static class ProductNoise
{
    /// <summary>Numbers from -1 to 1, or small integers, that are the same for the same seed.</summary>
    public static Literal Of(DType type, int seed, params long[] shape)
    {
        var random = new Random(seed);
        return Literal.Generate(
            new TensorType(type, Shape.Of(shape)),
            _ => type.IsFloating()
                ? Scalar.FromDouble(type, (2 * random.NextDouble()) - 1)
                : Scalar.FromInteger(type, random.Next(type is DType.U8 or DType.U16 or DType.U32 or DType.U64 ? 0 : -100, 100)));
    }

    /// <summary>
    /// How far a sum of products of such numbers may be from the exact one, for a chain of additions in a type, and the
    /// rounding of the result.
    /// </summary>
    public static double Bound(DType sum, DType result, long depth)
    {
        // Each addition errs by half a unit of a partial sum; those are below depth, and in the mean below its root.
        double additions = sum switch
        {
            DType.F32 => depth * Math.Sqrt(depth) * Math.ScaleB(1, -24),
            DType.F64 => depth * Math.Sqrt(depth) * Math.ScaleB(1, -53),
            _ => 0,
        };
        double rounding = result switch
        {
            DType.F16 => Math.Sqrt(depth) * Math.ScaleB(1, -10),
            DType.BF16 => Math.Sqrt(depth) * Math.ScaleB(1, -7),
            _ => 0,
        };
        return 4 * (additions + rounding);
    }
}
