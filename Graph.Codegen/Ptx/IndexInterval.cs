namespace Graphene.Codegen.Ptx;

/// <summary>The numbers that an index may be.</summary>
/// <param name="Low">The least.</param>
/// <param name="High">The largest; not less.</param>
internal readonly record struct IndexInterval(long Low, long High)
{
    /// <summary>Nothing is known.</summary>
    public static IndexInterval Any { get; } = new(long.MinValue, long.MaxValue);

    /// <summary>Whether an i32 holds it.</summary>
    public bool IsNarrow => Low >= int.MinValue && High <= int.MaxValue;

    /// <summary>Whether it is never negative.</summary>
    public bool IsCounting => Low >= 0;

    /// <summary>One number.</summary>
    public static IndexInterval Of(long value) => new(value, value);

    /// <summary>What an integer type holds; anything where that is more than an i64 does.</summary>
    public static IndexInterval Of(DType type)
    {
        int bits = type.SizeInBits();
        return !type.IsInteger() || bits > 32 ? Any
            : type.IsSignedInteger() ? new(-(1L << (bits - 1)), (1L << (bits - 1)) - 1)
            : new(0, (1L << bits) - 1);
    }

    /// <summary>Either of two.</summary>
    public IndexInterval Or(IndexInterval other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    /// <summary>What an instruction of i64 makes of two.</summary>
    public static IndexInterval Apply(ScalarOp op, IndexInterval a, IndexInterval b) => op switch
    {
        ScalarOp.Add => Checked((Int128)a.Low + b.Low, (Int128)a.High + b.High),
        ScalarOp.Subtract => Checked((Int128)a.Low - b.High, (Int128)a.High - b.Low),
        ScalarOp.Multiply => Corners(a, b, (x, y) => x * y),
        ScalarOp.Divide when b.Low > 0 => Corners(a, b, (x, y) => x / y),
        ScalarOp.Remainder when b.Low > 0 && a.IsCounting => new(0, Math.Min(a.High, b.High - 1)),
        ScalarOp.Remainder when b.Low > 0 => new(1 - b.High, b.High - 1),
        ScalarOp.Minimum => new(Math.Min(a.Low, b.Low), Math.Min(a.High, b.High)),
        ScalarOp.Maximum => new(Math.Max(a.Low, b.Low), Math.Max(a.High, b.High)),
        ScalarOp.And when a.IsCounting && b.IsCounting => new(0, Math.Min(a.High, b.High)),
        ScalarOp.Or or ScalarOp.Xor when a.IsCounting && b.IsCounting => new(0, AllBits(Math.Max(a.High, b.High))),
        ScalarOp.ShiftLeft when b is { Low: >= 0, High: < 63 } => Corners(a, b, (x, y) => x << (int)y),
        ScalarOp.ShiftRightLogical or ScalarOp.ShiftRightArithmetic when a.IsCounting && b is { Low: >= 0, High: < 63 } =>
            new(a.Low >> (int)b.High, a.High >> (int)b.Low),
        _ => Any,
    };

    private static long AllBits(long most) =>
        most == 0 ? 0 : (long)(ulong.MaxValue >> System.Numerics.BitOperations.LeadingZeroCount((ulong)most));

    private static IndexInterval Corners(IndexInterval a, IndexInterval b, Func<Int128, Int128, Int128> op)
    {
        Int128[] all = [op(a.Low, b.Low), op(a.Low, b.High), op(a.High, b.Low), op(a.High, b.High)];
        return Checked(all.Min(), all.Max());
    }

    // Arithmetic wraps: what may leave the type may be anything.
    private static IndexInterval Checked(Int128 low, Int128 high) =>
        low < long.MinValue || high > long.MaxValue ? Any : new((long)low, (long)high);
}
