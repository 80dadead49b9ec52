using System.Globalization;

namespace Graphene;

/// <summary>
/// The extent of one dimension: a number, or an exact integer expression over <see cref="DimSymbol"/>s.
/// </summary>
/// <remarks>
/// An expression is kept as a canonical polynomial, so that two dims are equal exactly when their canonical forms are:
/// <c>(batch + 1) * 2 == 2 * batch + 2</c>. What a polynomial cannot express (floor division, remainder, maximum, minimum) is
/// an atom of it. Arithmetic that leaves 64 bits throws <see cref="OverflowException"/>.
/// </remarks>
public readonly partial struct Dim : IEquatable<Dim>
{
    private readonly long _constant;
    private readonly DimTerm[]? _terms; // null or non-empty, sorted by key, no zero coefficient

    private Dim(long constant, DimTerm[]? terms)
    {
        _constant = constant;
        _terms = terms is { Length: > 0 } ? terms : null;
    }

    /// <summary>True when this is a number.</summary>
    public bool IsStatic => _terms is null;

    /// <summary>The number.</summary>
    /// <exception cref="InvalidOperationException">The dim is symbolic.</exception>
    public long Value => IsStatic ? _constant : throw new InvalidOperationException($"dimension '{this}' is symbolic");

    /// <summary>The additive constant of the polynomial.</summary>
    internal long Constant => _constant;

    /// <summary>The non-constant terms of the polynomial.</summary>
    internal ReadOnlySpan<DimTerm> Terms => _terms;

    /// <summary>A number as a dim.</summary>
    public static implicit operator Dim(long value) => new(value, null);

    /// <summary>A symbol as a dim.</summary>
    public static implicit operator Dim(DimSymbol symbol) => FromAtom(new SymbolAtom(symbol));

    /// <summary>A name as a symbolic dim of at least 1: <c>["batch", 784]</c>.</summary>
    public static implicit operator Dim(string name) => Symbol(name);

    /// <summary>A new symbol with bounds, as a dim.</summary>
    /// <param name="name">The name under which it is printed and bound.</param>
    /// <param name="min">The smallest value that may be fed.</param>
    /// <param name="max">The largest value that may be fed.</param>
    public static Dim Symbol(string name, long min = 1, long max = DimSymbol.Unbounded) => new DimSymbol(name, min, max);

    /// <summary>Equal canonical forms.</summary>
    public static bool operator ==(Dim left, Dim right) => left.Equals(right);

    /// <summary>Different canonical forms; the values may still turn out equal.</summary>
    public static bool operator !=(Dim left, Dim right) => !left.Equals(right);

    /// <summary>The values this dim can take, from the symbols' bounds; saturated at the ends of 64 bits.</summary>
    public DimRange Range
    {
        get
        {
            DimRange range = new(_constant, _constant);
            foreach (DimTerm term in Terms)
            {
                range += term.Range;
            }
            return range;
        }
    }

    /// <summary>True when both are equal for every value of the symbols.</summary>
    public bool ProvablyEquals(Dim other) => Equals(other);

    /// <summary>True when they differ for every value of the symbols.</summary>
    public bool ProvablyDiffers(Dim other)
    {
        DimRange difference = (this - other).Range;
        return difference.Min > 0 || difference.Max < 0;
    }

    /// <summary>The value for given symbol values.</summary>
    /// <param name="valueOf">Gives each symbol's value.</param>
    public long Evaluate(Func<DimSymbol, long> valueOf)
    {
        long value = _constant;
        foreach (DimTerm term in Terms)
        {
            value = checked(value + term.Evaluate(valueOf));
        }
        return value;
    }

    /// <summary>Replaces symbols; those without an entry stay.</summary>
    public Dim Substitute(IReadOnlyDictionary<DimSymbol, Dim> values)
    {
        Dim result = _constant;
        foreach (DimTerm term in Terms)
        {
            result += term.Substitute(values);
        }
        return result;
    }

    /// <summary>All symbols that occur, each once, in the order of their names.</summary>
    public IEnumerable<DimSymbol> Symbols
    {
        get
        {
            var found = new SortedList<string, DimSymbol>(StringComparer.Ordinal);
            foreach (DimTerm term in Terms)
            {
                term.CollectSymbols(found);
            }
            return found.Values;
        }
    }

    /// <summary>The symbol, when the dim is nothing but one.</summary>
    public DimSymbol? AsSymbol =>
        _constant == 0 && _terms is [{ Coefficient: 1, Atoms: [SymbolAtom atom] }] ? atom.Symbol : null;

    /// <inheritdoc/>
    public bool Equals(Dim other)
    {
        if (_constant != other._constant || (_terms?.Length ?? 0) != (other._terms?.Length ?? 0))
        {
            return false;
        }
        for (int i = 0; i < Terms.Length; i++)
        {
            if (Terms[i].Coefficient != other.Terms[i].Coefficient || Terms[i].Key != other.Terms[i].Key)
            {
                return false;
            }
        }
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Dim other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(_constant);
        foreach (DimTerm term in Terms)
        {
            hash.Add(term.Coefficient);
            hash.Add(term.Key, StringComparer.Ordinal);
        }
        return hash.ToHashCode();
    }

    /// <summary>The expression as in IR text, for example <c>2*batch+1</c> or <c>floordiv(seq+1,2)</c>.</summary>
    public override string ToString()
    {
        if (IsStatic)
        {
            return _constant.ToString(CultureInfo.InvariantCulture);
        }
        var text = new System.Text.StringBuilder();
        foreach (DimTerm term in Terms)
        {
            text.Append(term.Coefficient < 0 ? "-" : text.Length > 0 ? "+" : "");
            if (Math.Abs(term.Coefficient) != 1)
            {
                text.Append(Math.Abs(term.Coefficient).ToString(CultureInfo.InvariantCulture)).Append('*');
            }
            text.Append(term.Key);
        }
        if (_constant != 0)
        {
            text.Append(_constant > 0 ? "+" : "").Append(_constant.ToString(CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    /// <summary>The number of characters of <see cref="ToString"/>, which is not made for it.</summary>
    internal int TextLength
    {
        get
        {
            int length = 0;
            for (int i = 0; _terms is not null && i < _terms.Length; i++)
            {
                long factor = _terms[i].Coefficient;
                length += (factor < 0 || i > 0 ? 1 : 0) + (factor is 1 or -1 ? 0 : Digits(factor) + 1) + _terms[i].Key.Length;
            }
            int sign = _terms is not null || _constant < 0 ? 1 : 0;
            return _constant == 0 && _terms is not null ? length : length + sign + Digits(_constant);
        }
    }

    /// <summary>The symbol, when the dim is a number of times one.</summary>
    /// <param name="factor">Receives the number.</param>
    internal DimSymbol? AsScaledSymbol(out long factor)
    {
        factor = 0;
        if (_constant != 0 || _terms is not { Length: 1 } || _terms[0].Atoms is not { Length: 1 } atoms || atoms[0] is not SymbolAtom atom)
        {
            return null;
        }
        factor = _terms[0].Coefficient;
        return atom.Symbol;
    }

    internal static Dim FromAtom(DimAtom atom) => new(0, [new DimTerm(1, [atom])]);

    internal static Dim FromTerms(long constant, DimTerm[] terms) => new(constant, terms);

    private static int Digits(long number)
    {
        int digits = 1;
        while ((number /= 10) != 0)
        {
            digits++;
        }
        return digits;
    }
}
