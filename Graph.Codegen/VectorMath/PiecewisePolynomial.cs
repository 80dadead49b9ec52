namespace Graphene.Codegen;

/// <summary>A function of numbers that are not negative, in f32: eight polynomials, each on an interval of its own.</summary>
/// <remarks>
/// <code>
/// w = first + scale a          grows with a, and a few leading bits of it number the intervals: short ones first
/// t = a - centre[w]
/// f = c0[w] + t (c1[w] + t (c2[w] + ...))
/// </code>
/// Each of the tables is a register, and reading it one instruction (<see cref="KLookup"/>), so this takes fewer than a formula that has to
/// serve all of the range, and it divides by nothing. Polynomials in the distance from a centre err little: the function's value there
/// is (nearly) a machine number, and what is added to it is small. tools/vector-math derives centres and coefficients.
/// </remarks>
internal sealed class PiecewisePolynomial
{
    private readonly double _bound;
    private readonly double _first;
    private readonly double _scale;
    private readonly int _shift;
    private readonly double _second;
    private readonly ValueList<Scalar> _centres;
    private readonly ValueList<Scalar>[] _coefficients;

    /// <summary>Prepares the tables.</summary>
    /// <param name="bound">Where the function ends; it has its value there from then on.</param>
    /// <param name="first">What <c>w</c> begins with, a number from 1 up to 2.</param>
    /// <param name="scale">How fast it grows.</param>
    /// <param name="cuts">The intervals for each power of two of <c>w</c>, itself a power of two.</param>
    /// <param name="pieces">
    /// For each interval its centre and the coefficients, lowest power first. The first has centre 0 and <c>c0</c> 0, and its polynomial is
    /// f - a, so that only a small part of the result is computed there, for an f that is a times a number that no machine number is.
    /// </param>
    public PiecewisePolynomial(double bound, double first, double scale, int cuts, double[][] pieces)
    {
        _bound = bound;
        _first = first;
        _scale = scale;
        _shift = RealFormat.F32.FractionBits - int.Log2(cuts);
        int start = (int)(BitConverter.SingleToUInt32Bits((float)first) >> _shift);
        _second = BitConverter.UInt32BitsToSingle((uint)(start + 1) << _shift);
        ValueList<Scalar>[] columns = [.. Enumerable.Range(0, pieces[0].Length).Select(i => Enumerable.Range(0, KLookup.Count)
            .Select(entry => Scalar.FromNumber(DType.F32, pieces[(entry - start) & (KLookup.Count - 1)][i])).ToValueList())];
        _centres = columns[0];
        _coefficients = columns[1..];
    }

    /// <summary>The value at a; NaN at NaN.</summary>
    /// <param name="a">f32, not negative, on a machine with fused multiply-add.</param>
    public KNum At(KNum a)
    {
        KNum bounded = a.AtMost(_bound);
        KNum w = KNum.Fma(bounded, _scale, _first);
        KNum index = w.As(DType.I32) >>> _shift;
        KNum t = bounded - KNum.Lookup(_centres, index);
        KNum sum = KNum.Lookup(_coefficients[^1], index);
        foreach (ValueList<Scalar> coefficient in _coefficients[1..^1].Reverse())
        {
            sum = KNum.Fma(sum, t, KNum.Lookup(coefficient, index));
        }
        KNum constant = KNum.Lookup(_coefficients[0], index);
        return KNum.Fma(sum, t, KNum.Select(w < _second, bounded, constant));
    }
}
