using System.Numerics;

namespace Graphene.Codegen;

/// <summary>One lane of each instruction, on bits, as <see cref="ScalarOp"/> defines it.</summary>
internal static class LaneArithmetic
{
    /// <summary>The result's bits from the arguments' bits, all of one type.</summary>
    public static ulong Compute(ScalarOp op, DType type, ReadOnlySpan<ulong> x) => type switch
    {
        DType.Bool => Bool(op, x[0] != 0, x.Length > 1 && x[1] != 0) ? 1ul : 0,
        DType.F32 => Compare(op, Single(x[0]), x.Length > 1 ? Single(x[1]) : 0) is { } truth
            ? (truth ? 1ul : 0)
            : Bits(Single(op, Single(x[0]), x.Length > 1 ? Single(x[1]) : 0, x.Length > 2 ? Single(x[2]) : 0)),
        DType.F64 => Compare(op, Double(x[0]), x.Length > 1 ? Double(x[1]) : 0) is { } truth
            ? (truth ? 1ul : 0)
            : Bits(Double(op, Double(x[0]), x.Length > 1 ? Double(x[1]) : 0, x.Length > 2 ? Double(x[2]) : 0)),
        _ => IntegerArithmetic.Compute(op, type, x),
    };

    private static bool Bool(ScalarOp op, bool a, bool b) => op switch
    {
        ScalarOp.And or ScalarOp.Minimum => a && b,
        ScalarOp.Or or ScalarOp.Maximum => a || b,
        ScalarOp.Xor or ScalarOp.NotEqual => a != b,
        ScalarOp.Equal => a == b,
        ScalarOp.Not => !a,
        ScalarOp.Less => !a && b,
        ScalarOp.LessOrEqual => !a || b,
        _ => throw Unknown(op, DType.Bool),
    };

    private static bool? Compare<T>(ScalarOp op, T a, T b)
        where T : IFloatingPointIeee754<T> => op switch
        {
            ScalarOp.Equal => a == b,
            ScalarOp.NotEqual => a != b,
            ScalarOp.Less => a < b,
            ScalarOp.LessOrEqual => a <= b,
            ScalarOp.IsFinite => T.IsFinite(a),
            _ => null,
        };

    // Not by way of f64: one rounding each.
    private static float Single(ScalarOp op, float a, float b, float c) => op switch
    {
        ScalarOp.Add => a + b,
        ScalarOp.Subtract => a - b,
        ScalarOp.Multiply => a * b,
        ScalarOp.Divide => a / b,
        ScalarOp.Remainder => a % b,
        ScalarOp.FusedMultiplyAdd => MathF.FusedMultiplyAdd(a, b, c),
        ScalarOp.SquareRoot => MathF.Sqrt(a),
        _ => (float)Double(op, a, b, c), // exact in any precision
    };

    private static double Double(ScalarOp op, double a, double b, double c) => op switch
    {
        ScalarOp.Add => a + b,
        ScalarOp.Subtract => a - b,
        ScalarOp.Multiply => a * b,
        ScalarOp.Divide => a / b,
        ScalarOp.Remainder => a % b,
        ScalarOp.FusedMultiplyAdd => Math.FusedMultiplyAdd(a, b, c),
        ScalarOp.Negate => -a,
        ScalarOp.Abs => Math.Abs(a),
        ScalarOp.Sign => a > 0 ? 1 : a < 0 ? -1 : a,
        ScalarOp.Maximum => Math.Max(a, b),
        ScalarOp.Minimum => Math.Min(a, b),
        ScalarOp.Floor => Math.Floor(a),
        ScalarOp.Ceil => Math.Ceiling(a),
        ScalarOp.RoundNearestEven => Math.Round(a, MidpointRounding.ToEven),
        ScalarOp.RoundNearestAfz => Math.Round(a, MidpointRounding.AwayFromZero),
        ScalarOp.Truncate => Math.Truncate(a),
        ScalarOp.SquareRoot => Math.Sqrt(a),
        _ => throw Unknown(op, DType.F64),
    };

    private static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static CompilerBugException Unknown(ScalarOp op, DType type) =>
        new("Kernel IR interpreter", $"{op} has no meaning for {type.Name()}");
}
