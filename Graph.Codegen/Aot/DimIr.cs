using System.Globalization;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Writes dims as straight-line LLVM IR over the caller's list of dimensions, and notes whether a
/// number became too large.
/// </summary>
/// <remarks>
/// What the bounds of the symbols cannot make larger than <see cref="Limit"/> is computed as it is. For the rest each step is also
/// done in floating point, which cannot overflow; multiplication with a check would be a call on 32-bit machines.
/// </remarks>
/// <param name="ir">Receives the instructions.</param>
/// <param name="dims">The register that holds the address of the list.</param>
/// <param name="ordinal">The place of a symbol in it.</param>
internal sealed class DimIr(IrWriter ir, string dims, Func<DimSymbol, int> ordinal) : DimVisitor<DimIr.Term>
{
    private const double Limit = 4611686018427387904; // 2^62
    private readonly Dictionary<DimSymbol, Term> _symbols = [];

    /// <summary>A value in a register or a number, and what its magnitude cannot exceed.</summary>
    public readonly record struct Term(string Value, double Bound);

    /// <summary>The register of type i1 that tells whether something was too large; null when nothing can be.</summary>
    public string? Excess { get; private set; }

    /// <summary>The register, or the number, that holds a dim.</summary>
    public string Value(Dim dim) => Visit(dim).Value;

    /// <summary>The larger of two terms.</summary>
    public Term Larger(Term left, Term right) => Max(left, right);

    /// <summary>The sum of two terms.</summary>
    public Term Sum(Term left, Term right) => Add(left, right);

    /// <summary>A size rounded up to a multiple of 64.</summary>
    public Term RoundedUp(Term size)
    {
        Term sum = Add(size, Number(63));
        return new Term(ir.Let($"and i64 {sum.Value}, -64"), sum.Bound);
    }

    /// <inheritdoc/>
    protected override Term Number(long value) => new(value.ToString(CultureInfo.InvariantCulture), Math.Abs((double)value));

    /// <inheritdoc/>
    protected override Term Symbol(DimSymbol symbol)
    {
        if (!_symbols.TryGetValue(symbol, out Term term))
        {
            string place = ir.Let($"getelementptr i64, ptr {dims}, i64 {ordinal(symbol).ToString(CultureInfo.InvariantCulture)}");
            term = new Term(ir.Let($"load i64, ptr {place}, align 8"), symbol.Max);
            _symbols.Add(symbol, term);
        }
        return term;
    }

    /// <inheritdoc/>
    protected override Term Add(Term left, Term right) => Checked("add", left, right, left.Bound + right.Bound);

    /// <inheritdoc/>
    protected override Term Multiply(Term left, Term right) => Checked("mul", left, right, left.Bound * right.Bound);

    // Rounds to minus infinity; a divisor of zero counts as too large.
    /// <inheritdoc/>
    protected override Term FloorDiv(Term left, Term right)
    {
        string divisor = right.Value;
        if (!long.TryParse(divisor, CultureInfo.InvariantCulture, out long number) || number == 0)
        {
            string isZero = ir.Let($"icmp eq i64 {divisor}, 0");
            Note(isZero);
            divisor = ir.Let($"select i1 {isZero}, i64 1, i64 {divisor}");
        }
        string quotient = ir.Let($"sdiv i64 {left.Value}, {divisor}");
        string rest = ir.Let($"srem i64 {left.Value}, {divisor}");
        string isInexact = ir.Let($"icmp ne i64 {rest}, 0");
        string signs = ir.Let($"xor i64 {rest}, {divisor}");
        string differ = ir.Let($"icmp slt i64 {signs}, 0");
        string isBelow = ir.Let($"and i1 {isInexact}, {differ}");
        string one = ir.Let($"zext i1 {isBelow} to i64");
        return new Term(ir.Let($"sub i64 {quotient}, {one}"), left.Bound + 1);
    }

    /// <inheritdoc/>
    protected override Term Max(Term left, Term right) => Chosen("sgt", left, right);

    /// <inheritdoc/>
    protected override Term Min(Term left, Term right) => Chosen("slt", left, right);

    private Term Chosen(string relation, Term left, Term right)
    {
        string first = ir.Let($"icmp {relation} i64 {left.Value}, {right.Value}");
        return new Term(ir.Let($"select i1 {first}, i64 {left.Value}, i64 {right.Value}"), Math.Max(left.Bound, right.Bound));
    }

    private Term Checked(string operation, Term left, Term right, double bound)
    {
        string value = ir.Let($"{operation} i64 {left.Value}, {right.Value}");
        if (bound < Limit)
        {
            return new Term(value, bound);
        }
        string a = ir.Let($"sitofp i64 {left.Value} to double");
        string b = ir.Let($"sitofp i64 {right.Value} to double");
        string real = ir.Let($"f{operation} double {a}, {b}");
        string isAbove = ir.Let($"fcmp ogt double {real}, 0x43D0000000000000");
        string isBelow = ir.Let($"fcmp olt double {real}, 0xC3D0000000000000");
        Note(ir.Let($"or i1 {isAbove}, {isBelow}"));
        return new Term(value, Limit);
    }

    private void Note(string isExcess) => Excess = Excess is null ? isExcess : ir.Let($"or i1 {Excess}, {isExcess}");
}
