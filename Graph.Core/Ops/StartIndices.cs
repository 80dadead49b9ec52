namespace Graphene;

/// <summary>Positions that come as run-time values of any integer type, moved so that a slice stays inside.</summary>
internal static class StartIndices
{
    /// <summary>The value nearest to <paramref name="start"/> in 0..extent-size, for the oracle.</summary>
    public static long Clamp(Scalar start, long extent, long size) =>
        (long)Int128.Clamp(start.AsInteger, 0, extent - size);

    /// <summary>The same as an expression.</summary>
    public static ScalarExpr Clamp(ExprFactory f, ScalarExpr start, Dim extent, Dim size)
    {
        ScalarExpr last = f.Index(extent - size);
        if (start.DType == DType.U64)
        {
            // A huge u64 must not turn negative in i64, so the upper limit goes first.
            return f.Convert(f.Minimum(start, f.Convert(last, DType.U64)), DType.I64);
        }
        return f.Minimum(f.Maximum(f.Convert(start, DType.I64), f.Index(0)), last);
    }

    /// <summary>Throws unless the operands from <paramref name="first"/> on are one integer scalar per dimension of a type.</summary>
    public static void Require(OpSite site, int first, TensorType x)
    {
        site.Require(
            site.OperandCount == first + x.Rank, DiagnosticId.OperandCount,
            $"takes one start index per dimension of {x}, not {site.OperandCount - first}");
        for (int i = first; i < site.OperandCount; i++)
        {
            site.RequireDType(i, DTypeSet.Integer);
            site.RequireSameDType(first, i);
            site.Require(
                site.Operand(i).Rank == 0, DiagnosticId.RankMismatch, $"start index {i - first} is {site.Operand(i)}, not a scalar");
        }
    }
}
