namespace Graphene.Codegen;

/// <summary>Sums of products of narrow elements, on bits: what <see cref="KDot"/> and products of tiles are made of.</summary>
internal static class DotArithmetic
{
    // Everything below would be denormal in f32 after it was rounded to its precision.
    private static readonly double SmallestNormal = Math.ScaleB(1, -126) - Math.ScaleB(1, -151);

    /// <summary>One lane of <see cref="KDot"/>.</summary>
    public static ulong Accumulate(ulong sum, DType leftType, ReadOnlySpan<ulong> left, DType rightType, ReadOnlySpan<ulong> right) =>
        leftType == DType.BF16
            ? Bits(MultiplyAdd(Single(sum), Brain(left[1]), Brain(right[1])), left[0], right[0])
            : AddIntegers(sum, leftType, left, rightType, right);

    /// <summary>sum + products, wrapped to 32 bits.</summary>
    public static ulong AddIntegers(
        ulong sum, DType leftType, ReadOnlySpan<ulong> left, DType rightType, ReadOnlySpan<ulong> right)
    {
        Int128 total = sum;
        for (int i = 0; i < left.Length; i++)
        {
            total += IntegerArithmetic.Value(leftType, left[i]) * IntegerArithmetic.Value(rightType, right[i]);
        }
        return (uint)(total & uint.MaxValue);
    }

    /// <summary>sum + a * b, rounded once, with denormal operands and results taken for zero.</summary>
    public static float MultiplyAdd(float sum, float a, float b)
    {
        (sum, a, b) = (WithoutDenormal(sum), WithoutDenormal(a), WithoutDenormal(b));
        // Exact wherever the comparison is close: a product has 16 bits, a sum 24.
        double exact = ((double)a * b) + sum;
        float rounded = MathF.FusedMultiplyAdd(a, b, sum);
        return Math.Abs(exact) < SmallestNormal ? MathF.CopySign(0, rounded) : rounded;
    }

    /// <summary>a + b, with denormal operands and results taken for zero.</summary>
    public static float Add(float a, float b) => WithoutDenormal(WithoutDenormal(a) + WithoutDenormal(b));

    /// <summary>A bf16 by its bits.</summary>
    public static float Brain(ulong bits) => new BFloat16((ushort)bits);

    private static ulong Bits(float sum, ulong a, ulong b) =>
        BitConverter.SingleToUInt32Bits(MultiplyAdd(sum, Brain(a), Brain(b)));

    private static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static float WithoutDenormal(float x) => float.IsSubnormal(x) ? MathF.CopySign(0, x) : x;
}
