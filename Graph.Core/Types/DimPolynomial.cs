using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>What a dim expression can contain besides sums and products.</summary>
internal enum DimFunction
{
    FloorDiv,
    Max,
    Min,
}

/// <summary>A factor of a term: a symbol, or a function of two dims. Atoms are ordered and compared by their text.</summary>
internal abstract class DimAtom
{
    public abstract string Key { get; }

    public abstract DimRange Range { get; }

    public abstract long Evaluate(Func<DimSymbol, long> valueOf);

    public abstract Dim Substitute(IReadOnlyDictionary<DimSymbol, Dim> values);

    public abstract void CollectSymbols(IDictionary<string, DimSymbol> found);
}

internal sealed class SymbolAtom(DimSymbol symbol) : DimAtom
{
    public DimSymbol Symbol { get; } = symbol;

    public override string Key { get; } = symbol.ToString();

    public override DimRange Range => new(Symbol.Min, Symbol.Max);

    public override long Evaluate(Func<DimSymbol, long> valueOf) => valueOf(Symbol);

    public override Dim Substitute(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        values.TryGetValue(Symbol, out Dim value) ? value : Symbol;

    public override void CollectSymbols(IDictionary<string, DimSymbol> found) => found.TryAdd(Symbol.Name, Symbol);
}

internal sealed class BinaryAtom(DimFunction function, Dim left, Dim right) : DimAtom
{
    public override string Key { get; } =
        $"{function switch { DimFunction.FloorDiv => "floordiv", DimFunction.Max => "max", _ => "min" }}({left},{right})";

    public override DimRange Range
    {
        get
        {
            DimRange a = left.Range;
            DimRange b = right.Range;
            return function switch
            {
                DimFunction.Max => new(Math.Max(a.Min, b.Min), Math.Max(a.Max, b.Max)),
                DimFunction.Min => new(Math.Min(a.Min, b.Min), Math.Min(a.Max, b.Max)),
                _ when b.Min > 0 => new(
                    DimMath.FloorDiv(a.Min, a.Min < 0 ? b.Min : b.Max),
                    DimMath.FloorDiv(a.Max, a.Max < 0 ? b.Max : b.Min)),
                _ => new(long.MinValue, long.MaxValue),
            };
        }
    }

    // max(a,b) and max(b,a) are one atom.
    public static BinaryAtom Commutative(DimFunction function, Dim left, Dim right) =>
        string.CompareOrdinal(left.ToString(), right.ToString()) <= 0
            ? new(function, left, right)
            : new(function, right, left);

    public override long Evaluate(Func<DimSymbol, long> valueOf)
    {
        long a = left.Evaluate(valueOf);
        long b = right.Evaluate(valueOf);
        return function switch
        {
            DimFunction.Max => Math.Max(a, b),
            DimFunction.Min => Math.Min(a, b),
            _ => DimMath.FloorDiv(a, b),
        };
    }

    public override Dim Substitute(IReadOnlyDictionary<DimSymbol, Dim> values)
    {
        Dim a = left.Substitute(values);
        Dim b = right.Substitute(values);
        return function switch
        {
            DimFunction.Max => Dim.Max(a, b),
            DimFunction.Min => Dim.Min(a, b),
            _ => Dim.FloorDiv(a, b),
        };
    }

    public override void CollectSymbols(IDictionary<string, DimSymbol> found)
    {
        foreach (DimSymbol symbol in left.Symbols.Concat(right.Symbols))
        {
            found.TryAdd(symbol.Name, symbol);
        }
    }

    /// <summary>The function, for those who translate dims into code.</summary>
    public DimFunction Function => function;

    /// <summary>The first argument.</summary>
    public Dim Left => left;

    /// <summary>The second argument.</summary>
    public Dim Right => right;
}

/// <summary>A coefficient times a product of atoms, which are sorted by key.</summary>
internal sealed record DimTerm(long Coefficient, DimAtom[] Atoms)
{
    public string Key { get; } = KeyOf(Atoms);

    public DimRange Range => Atoms.Aggregate(new DimRange(Coefficient, Coefficient), (range, atom) => range * atom.Range);

    public long Evaluate(Func<DimSymbol, long> valueOf) =>
        Atoms.Aggregate(Coefficient, (product, atom) => checked(product * atom.Evaluate(valueOf)));

    public Dim Substitute(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        Atoms.Aggregate((Dim)Coefficient, (product, atom) => product * atom.Substitute(values));

    public void CollectSymbols(IDictionary<string, DimSymbol> found)
    {
        foreach (DimAtom atom in Atoms)
        {
            atom.CollectSymbols(found);
        }
    }

    // Nearly all terms have one atom, also those that a start reads, which waits for each type that queries take.
    private static string KeyOf(DimAtom[] atoms) => atoms.Length == 1 ? atoms[0].Key : KeyOfProduct(atoms);

    [MethodImpl(MethodImplOptions.NoInlining)] // or what it takes would be taken by its caller
    private static string KeyOfProduct(DimAtom[] atoms) => string.Join('*', atoms.Select(a => a.Key));
}

/// <summary>A sum under construction: terms by key, so that equal monomials meet.</summary>
internal sealed class DimPolynomial
{
    private readonly SortedList<string, DimTerm> _terms = new(StringComparer.Ordinal);
    private long _constant;

    public void Add(Dim dim, long factor)
    {
        _constant = checked(_constant + (dim.Constant * factor));
        foreach (DimTerm term in dim.Terms)
        {
            AddTerm(checked(term.Coefficient * factor), term.Atoms);
        }
    }

    public void AddProduct(Dim left, Dim right)
    {
        Add(left, right.Constant);
        foreach (DimTerm r in right.Terms)
        {
            if (left.Constant != 0)
            {
                AddTerm(checked(left.Constant * r.Coefficient), r.Atoms);
            }
            foreach (DimTerm l in left.Terms)
            {
                DimAtom[] atoms = [.. l.Atoms.Concat(r.Atoms).OrderBy(a => a.Key, StringComparer.Ordinal)];
                AddTerm(checked(l.Coefficient * r.Coefficient), atoms);
            }
        }
    }

    public Dim ToDim() => Dim.FromTerms(_constant, [.. _terms.Values]);

    // Long division by the divisor's leading term: each step must remove the dividend's leading term exactly.
    public static bool TryDivideExact(Dim dividend, Dim divisor, out Dim quotient)
    {
        quotient = 0;
        if (divisor.IsStatic && divisor.Constant == 0)
        {
            return false;
        }
        for (int steps = 0; steps < 64; steps++)
        {
            if (dividend == 0)
            {
                return true;
            }
            if (!TryDivideTerm(Leading(dividend), Leading(divisor), out Dim factor))
            {
                return false;
            }
            quotient += factor;
            dividend -= factor * divisor;
        }
        return false;
    }

    private static DimTerm Leading(Dim dim)
    {
        DimTerm leading = new(dim.Constant, []);
        foreach (DimTerm term in dim.Terms)
        {
            if (term.Atoms.Length > leading.Atoms.Length ||
                (term.Atoms.Length == leading.Atoms.Length && string.CompareOrdinal(term.Key, leading.Key) > 0))
            {
                leading = term;
            }
        }
        return leading;
    }

    private static bool TryDivideTerm(DimTerm dividend, DimTerm divisor, out Dim quotient)
    {
        quotient = 0;
        if (dividend.Coefficient % divisor.Coefficient != 0)
        {
            return false;
        }
        List<DimAtom> atoms = [.. dividend.Atoms];
        foreach (DimAtom atom in divisor.Atoms)
        {
            int at = atoms.FindIndex(a => a.Key == atom.Key);
            if (at < 0)
            {
                return false;
            }
            atoms.RemoveAt(at);
        }
        long coefficient = dividend.Coefficient / divisor.Coefficient;
        quotient = atoms.Count == 0 ? coefficient : Dim.FromTerms(0, [new DimTerm(coefficient, [.. atoms])]);
        return true;
    }

    private void AddTerm(long coefficient, DimAtom[] atoms)
    {
        if (coefficient == 0)
        {
            return;
        }
        var term = new DimTerm(coefficient, atoms);
        if (_terms.TryGetValue(term.Key, out DimTerm? present))
        {
            coefficient = checked(coefficient + present.Coefficient);
            if (coefficient == 0)
            {
                _terms.Remove(term.Key);
                return;
            }
            term = present with { Coefficient = coefficient };
        }
        _terms[term.Key] = term;
    }
}
