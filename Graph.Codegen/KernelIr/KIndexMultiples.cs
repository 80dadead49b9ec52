using System.Numerics;

namespace Graphene.Codegen;

/// <summary>Knows by what number the indices of a kernel can be divided, from how they were made.</summary>
/// <remarks>
/// A thread's vector is one access only where its place is a multiple of its size, which an access therefore states:
/// what is proved here, of the index that is there, whatever made it. <see cref="LaneForms"/> tells before there are
/// indices how many lanes are worth it.
/// </remarks>
internal sealed class KIndexMultiples
{
    // Larger ones are of no use, and the greatest common divisors stay small.
    private const long Largest = 1 << 10;

    private readonly Dictionary<KVariable, (KExpr First, long Step)> _definitions = [];

    /// <summary>Remembers what a variable is: a value, plus any multiple of a step.</summary>
    public void Define(KVariable variable, KExpr first, long step = 0) => _definitions[variable] = (first, step);

    /// <summary>A power of two, at most <paramref name="most"/>, that divides an index whatever the values in it.</summary>
    public int AlignmentOf(KExpr index, int most)
    {
        long multiple = Of(index);
        return multiple == 0 ? most : (int)Math.Min(most, 1L << BitOperations.TrailingZeroCount(multiple));
    }

    // 0 for what is zero: every number divides it.
    private long Of(KExpr e) => e switch
    {
        KConstant { Lanes: 1, Value: var value } when value.DType.IsInteger() => Math.Abs((long)value.AsInteger) % Largest,
        KVariable v when _definitions.TryGetValue(v, out (KExpr First, long Step) d) => CommonDivisor(Of(d.First), d.Step % Largest),
        KCall { Op: ScalarOp.Multiply, Arguments: [var a, var b] } => Of(a) * Of(b) % Largest,
        KCall
        {
            Op: ScalarOp.Add or ScalarOp.Subtract or ScalarOp.Minimum or ScalarOp.Maximum or ScalarOp.Remainder,
            Arguments: [var a, var b],
        }
            => CommonDivisor(Of(a), Of(b)),
        KCall { Op: ScalarOp.Divide, Arguments: [var a, KConstant { Value: var by }] } => OfQuotient(Of(a), (long)by.AsInteger),
        KSelect select => CommonDivisor(Of(select.WhenTrue), Of(select.WhenFalse)),
        _ => 1,
    };

    // Only by powers of two: that is all that is kept of a number.
    private static long OfQuotient(long dividend, long divisor) =>
        divisor is > 0 and <= Largest && BitOperations.IsPow2(divisor) && dividend % divisor == 0
            ? (dividend == 0 ? Largest : dividend) / divisor % Largest
            : 1;

    // Numbers are taken modulo a power of two, which keeps the powers of two in them.
    private static long CommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }
        return a;
    }
}
