using System.Numerics;

namespace Graphene.Codegen;

/// <summary>One lane of each instruction on integers: computed in 128 bits, wrapped once.</summary>
internal static class IntegerArithmetic
{
    /// <summary>The result's bits from the arguments' bits.</summary>
    public static ulong Compute(ScalarOp op, DType type, ReadOnlySpan<ulong> x)
    {
        Int128 a = Value(type, x[0]);
        Int128 b = x.Length > 1 ? Value(type, x[1]) : 0;
        int width = type.SizeInBits();
        ulong mask = ulong.MaxValue >> (64 - width);
        return op switch
        {
            ScalarOp.Equal => Truth(a == b),
            ScalarOp.NotEqual => Truth(a != b),
            ScalarOp.Less => Truth(a < b),
            ScalarOp.LessOrEqual => Truth(a <= b),
            ScalarOp.PopulationCount => (ulong)BitOperations.PopCount(x[0]),
            ScalarOp.CountLeadingZeros => (ulong)(BitOperations.LeadingZeroCount(x[0]) - (64 - width)),
            ScalarOp.ShiftLeft => x[1] >= (ulong)width ? 0 : (x[0] << (int)x[1]) & mask,
            ScalarOp.ShiftRightLogical => x[1] >= (ulong)width ? 0 : x[0] >> (int)x[1],
            ScalarOp.ShiftRightArithmetic =>
                Wrap((Int128)(long)(Signed(x[0], width) >> (int)Math.Min(x[1], (ulong)width - 1)), mask),
            ScalarOp.FusedMultiplyAdd => Wrap(unchecked((a * b) + Value(type, x[2])), mask),
            _ => Wrap(Arithmetic(op, type, a, b), mask),
        };
    }

    /// <summary>Bits as the number that a type makes of them.</summary>
    public static Int128 Value(DType type, ulong bits) =>
        type.IsSignedInteger() ? Signed(bits, type.SizeInBits()) : (Int128)bits;

    private static Int128 Arithmetic(ScalarOp op, DType type, Int128 a, Int128 b) => op switch
    {
        ScalarOp.Add => a + b,
        ScalarOp.Subtract => a - b,
        ScalarOp.Multiply => unchecked(a * b),
        ScalarOp.Divide => b == 0 ? -1 : a / b,
        ScalarOp.Remainder => b == 0 ? a : a % b,
        ScalarOp.Negate => -a,
        ScalarOp.Abs => Int128.Abs(a),
        ScalarOp.Sign => Int128.Sign(a),
        ScalarOp.Maximum => Int128.Max(a, b),
        ScalarOp.Minimum => Int128.Min(a, b),
        ScalarOp.And => a & b,
        ScalarOp.Or => a | b,
        ScalarOp.Xor => a ^ b,
        ScalarOp.Not => ~a,
        _ => throw new CompilerBugException("Kernel IR interpreter", $"{op} has no meaning for {type.Name()}"),
    };

    private static long Signed(ulong bits, int width) => (long)(bits << (64 - width)) >> (64 - width);

    private static ulong Wrap(Int128 value, ulong mask) => unchecked((ulong)value) & mask;

    private static ulong Truth(bool value) => value ? 1ul : 0;
}
