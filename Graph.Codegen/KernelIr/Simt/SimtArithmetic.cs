using System.Numerics;

namespace Graphene.Codegen;

/// <summary>
/// The step of each instruction for each type: as <see cref="LaneArithmetic"/> defines them, but for
/// many elements at once.
/// </summary>
internal static class SimtArithmetic
{
    /// <summary>The step that computes an instruction on values of one type and as many lanes.</summary>
    public static SimtStep Step(ScalarOp op, DType type, SimtSlot r, SimtSlot[] x) => type switch
    {
        DType.F32 => Float<float>(op, type, r, x),
        DType.F64 => Float<double>(op, type, r, x),
        DType.I64 => Integer<long>(op, type, r, x),
        DType.I32 => Integer<int>(op, type, r, x),
        DType.U32 => Integer<uint>(op, type, r, x),
        DType.U64 => Integer<ulong>(op, type, r, x),
        DType.Bool => Truth(op, type, r, x),
        _ => new AnyArithmeticStep(op, type, r, x),
    };

    private static SimtStep Float<T>(ScalarOp op, DType type, SimtSlot r, SimtSlot[] x)
        where T : unmanaged, IFloatingPointIeee754<T> => op switch
        {
            ScalarOp.Add => new BinaryStep<T, SumOf<T>>(r, x[0], x[1]),
            ScalarOp.Subtract => new BinaryStep<T, DifferenceOf<T>>(r, x[0], x[1]),
            ScalarOp.Multiply => new BinaryStep<T, ProductOf<T>>(r, x[0], x[1]),
            ScalarOp.Divide => new BinaryStep<T, QuotientOf<T>>(r, x[0], x[1]),
            ScalarOp.Remainder => new BinaryStep<T, RemainderOf<T>>(r, x[0], x[1]),
            ScalarOp.Maximum => new BinaryStep<T, MaximumOf<T>>(r, x[0], x[1]),
            ScalarOp.Minimum => new BinaryStep<T, MinimumOf<T>>(r, x[0], x[1]),
            ScalarOp.FusedMultiplyAdd => new MultiplyAddStep<T>(r, x[0], x[1], x[2]),
            ScalarOp.Negate => new UnaryStep<T, NegativeOf<T>>(r, x[0]),
            ScalarOp.Abs => new UnaryStep<T, MagnitudeOf<T>>(r, x[0]),
            ScalarOp.Sign => new UnaryStep<T, SignOf<T>>(r, x[0]),
            ScalarOp.SquareRoot => new UnaryStep<T, RootOf<T>>(r, x[0]),
            ScalarOp.Floor => new UnaryStep<T, FloorOf<T>>(r, x[0]),
            ScalarOp.Ceil => new UnaryStep<T, CeilingOf<T>>(r, x[0]),
            ScalarOp.Truncate => new UnaryStep<T, TruncationOf<T>>(r, x[0]),
            ScalarOp.RoundNearestEven => new UnaryStep<T, NearestOf<T>>(r, x[0]),
            ScalarOp.IsFinite => new ComparisonStep<T, FiniteOf<T>>(r, x[0], x[0]),
            _ => Comparison<T>(op, r, x) ?? new AnyArithmeticStep(op, type, r, x),
        };

    private static SimtStep Integer<T>(ScalarOp op, DType type, SimtSlot r, SimtSlot[] x)
        where T : unmanaged, IBinaryInteger<T> => op switch
        {
            ScalarOp.Add => new BinaryStep<T, SumOf<T>>(r, x[0], x[1]),
            ScalarOp.Subtract => new BinaryStep<T, DifferenceOf<T>>(r, x[0], x[1]),
            ScalarOp.Multiply => new BinaryStep<T, ProductOf<T>>(r, x[0], x[1]),
            ScalarOp.Divide => new BinaryStep<T, IntegerQuotientOf<T>>(r, x[0], x[1]),
            ScalarOp.Remainder => new BinaryStep<T, IntegerRemainderOf<T>>(r, x[0], x[1]),
            ScalarOp.Maximum => new BinaryStep<T, MaximumOf<T>>(r, x[0], x[1]),
            ScalarOp.Minimum => new BinaryStep<T, MinimumOf<T>>(r, x[0], x[1]),
            ScalarOp.And => new BinaryStep<T, AndOf<T>>(r, x[0], x[1]),
            ScalarOp.Or => new BinaryStep<T, OrOf<T>>(r, x[0], x[1]),
            ScalarOp.Xor => new BinaryStep<T, XorOf<T>>(r, x[0], x[1]),
            ScalarOp.ShiftLeft => new BinaryStep<T, ShiftLeftOf<T>>(r, x[0], x[1]),
            ScalarOp.ShiftRightLogical => new BinaryStep<T, ShiftRightOf<T>>(r, x[0], x[1]),
            ScalarOp.FusedMultiplyAdd => new MultiplyAddStep<T>(r, x[0], x[1], x[2]),
            ScalarOp.Negate => new UnaryStep<T, NegativeOf<T>>(r, x[0]),
            ScalarOp.Not => new UnaryStep<T, ComplementOf<T>>(r, x[0]),
            _ => Comparison<T>(op, r, x) ?? new AnyArithmeticStep(op, type, r, x),
        };

    private static SimtStep? Comparison<T>(ScalarOp op, SimtSlot r, SimtSlot[] x)
        where T : unmanaged, INumber<T> => op switch
        {
            ScalarOp.Equal => new ComparisonStep<T, EqualOf<T>>(r, x[0], x[1]),
            ScalarOp.NotEqual => new ComparisonStep<T, NotEqualOf<T>>(r, x[0], x[1]),
            ScalarOp.Less => new ComparisonStep<T, LessOf<T>>(r, x[0], x[1]),
            ScalarOp.LessOrEqual => new ComparisonStep<T, AtMostOf<T>>(r, x[0], x[1]),
            _ => null,
        };

    private static SimtStep Truth(ScalarOp op, DType type, SimtSlot r, SimtSlot[] x) => op switch
    {
        ScalarOp.And or ScalarOp.Minimum => new BinaryStep<byte, AndOf<byte>>(r, x[0], x[1]),
        ScalarOp.Or or ScalarOp.Maximum => new BinaryStep<byte, OrOf<byte>>(r, x[0], x[1]),
        ScalarOp.Xor or ScalarOp.NotEqual => new BinaryStep<byte, XorOf<byte>>(r, x[0], x[1]),
        ScalarOp.Equal => new BinaryStep<byte, SameTruth>(r, x[0], x[1]),
        ScalarOp.Less => new BinaryStep<byte, LessTruth>(r, x[0], x[1]),
        ScalarOp.LessOrEqual => new BinaryStep<byte, AtMostTruth>(r, x[0], x[1]),
        ScalarOp.Not => new UnaryStep<byte, NotTruth>(r, x[0]),
        _ => new AnyArithmeticStep(op, type, r, x),
    };
}
