namespace Graphene;

/// <summary>Translates a dim into another language, for example into instructions.</summary>
/// <typeparam name="T">What one value of that language is.</typeparam>
public abstract class DimVisitor<T>
{
    /// <summary>A number.</summary>
    protected abstract T Number(long value);

    /// <summary>A symbol.</summary>
    protected abstract T Symbol(DimSymbol symbol);

    /// <summary>A sum.</summary>
    protected abstract T Add(T left, T right);

    /// <summary>A product.</summary>
    protected abstract T Multiply(T left, T right);

    /// <summary>A quotient rounded down.</summary>
    protected abstract T FloorDiv(T left, T right);

    /// <summary>The larger value.</summary>
    protected abstract T Max(T left, T right);

    /// <summary>The smaller value.</summary>
    protected abstract T Min(T left, T right);

    /// <summary>Translates <paramref name="dim"/>.</summary>
    public T Visit(Dim dim)
    {
        if (dim.IsStatic)
        {
            return Number(dim.Value);
        }
        T? sum = default;
        bool any = false;
        foreach (DimTerm term in dim.Terms)
        {
            T value = VisitTerm(term);
            sum = any ? Add(sum!, value) : value;
            any = true;
        }
        return dim.Constant == 0 ? sum! : Add(sum!, Number(dim.Constant));
    }

    private T VisitTerm(DimTerm term)
    {
        T value = VisitAtom(term.Atoms[0]);
        for (int i = 1; i < term.Atoms.Length; i++)
        {
            value = Multiply(value, VisitAtom(term.Atoms[i]));
        }
        return term.Coefficient == 1 ? value : Multiply(value, Number(term.Coefficient));
    }

    private T VisitAtom(DimAtom atom) => atom switch
    {
        SymbolAtom symbol => Symbol(symbol.Symbol),
        BinaryAtom { Function: DimFunction.Max } max => Max(Visit(max.Left), Visit(max.Right)),
        BinaryAtom { Function: DimFunction.Min } min => Min(Visit(min.Left), Visit(min.Right)),
        BinaryAtom quotient => FloorDiv(Visit(quotient.Left), Visit(quotient.Right)),
        _ => throw new InvalidOperationException($"unknown dim atom {atom.Key}"),
    };
}
