using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Exact arithmetic: polynomials where that is possible, else atoms of them.</content>
public readonly partial struct Dim
{
    /// <summary>Exact sum.</summary>
    public static Dim operator +(Dim left, Dim right)
    {
        if (left.IsStatic && right.IsStatic)
        {
            return checked(left._constant + right._constant);
        }
        if (left.IsStatic || right.IsStatic)
        {
            return new Dim(checked(left._constant + right._constant), left._terms ?? right._terms);
        }
        return Sum(left, right);
    }

    /// <summary>Exact difference.</summary>
    public static Dim operator -(Dim left, Dim right) => left + (right * -1);

    /// <summary>Exact product.</summary>
    public static Dim operator *(Dim left, Dim right)
    {
        if (left.IsStatic && right.IsStatic)
        {
            return checked(left._constant * right._constant);
        }
        if (left.IsStatic || right.IsStatic)
        {
            return left.IsStatic ? right.Scaled(left._constant) : left.Scaled(right._constant);
        }
        return Product(left, right);
    }

    /// <summary>The quotient rounded towards negative infinity.</summary>
    /// <exception cref="DivideByZeroException"><paramref name="divisor"/> is 0.</exception>
    public static Dim FloorDiv(Dim dividend, Dim divisor)
    {
        if (divisor.IsStatic && divisor._constant == 0)
        {
            throw new DivideByZeroException($"dimension '{dividend}' is divided by 0");
        }
        if (dividend.IsStatic && divisor.IsStatic)
        {
            return DimMath.FloorDiv(dividend._constant, divisor._constant);
        }
        if (TryDivideExact(dividend, divisor, out Dim exact))
        {
            return exact;
        }
        if (divisor.IsStatic && divisor._constant > 0)
        {
            return FloorDivByConstant(dividend, divisor._constant);
        }
        return FromAtom(new BinaryAtom(DimFunction.FloorDiv, dividend, divisor));
    }

    /// <summary>The quotient rounded towards positive infinity.</summary>
    public static Dim CeilDiv(Dim dividend, Dim divisor) => FloorDiv(dividend + divisor - 1, divisor);

    /// <summary>The remainder of <see cref="FloorDiv"/>, never negative for a positive divisor.</summary>
    public static Dim Mod(Dim dividend, Dim divisor) => dividend - (FloorDiv(dividend, divisor) * divisor);

    /// <summary>The larger value.</summary>
    public static Dim Max(Dim left, Dim right)
    {
        DimRange difference = (left - right).Range;
        return difference.Min >= 0 ? left
            : difference.Max <= 0 ? right
            : FromAtom(BinaryAtom.Commutative(DimFunction.Max, left, right));
    }

    /// <summary>The smaller value.</summary>
    public static Dim Min(Dim left, Dim right)
    {
        DimRange difference = (left - right).Range;
        return difference.Min >= 0 ? right
            : difference.Max <= 0 ? left
            : FromAtom(BinaryAtom.Commutative(DimFunction.Min, left, right));
    }

    /// <summary>Divides when the quotient is exact for every value of the symbols.</summary>
    public static bool TryDivideExact(Dim dividend, Dim divisor, out Dim quotient) =>
        DimPolynomial.TryDivideExact(dividend, divisor, out quotient);

    // Apart, like the product below: the types that a method takes are loaded when it begins, and plans that are read rarely need these.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Dim Sum(Dim left, Dim right)
    {
        var sum = new DimPolynomial();
        sum.Add(left, 1);
        sum.Add(right, 1);
        return sum.ToDim();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Dim Product(Dim left, Dim right)
    {
        var product = new DimPolynomial();
        product.AddProduct(left, right);
        return product.ToDim();
    }

    // A sum and each of its terms, by a number.
    private Dim Scaled(long factor)
    {
        if (factor == 0 || _terms is null)
        {
            return checked(_constant * factor);
        }
        var terms = new DimTerm[_terms.Length];
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = _terms[i] with { Coefficient = checked(_terms[i].Coefficient * factor) };
        }
        return new Dim(checked(_constant * factor), terms);
    }

    // floordiv(4*x + r, 4) => x + floordiv(r, 4): whatever the divisor divides leaves the quotient exactly.
    private static Dim FloorDivByConstant(Dim dividend, long divisor)
    {
        Dim whole = DimMath.FloorDiv(dividend._constant, divisor);
        Dim rest = dividend._constant - (DimMath.FloorDiv(dividend._constant, divisor) * divisor);
        foreach (DimTerm term in dividend.Terms)
        {
            if (term.Coefficient % divisor == 0)
            {
                whole += new Dim(0, [term with { Coefficient = term.Coefficient / divisor }]);
            }
            else
            {
                rest += new Dim(0, [term]);
            }
        }
        DimRange range = rest.Range;
        if (range.Min >= 0 && range.Max < divisor)
        {
            return whole;
        }
        return whole + (rest.IsStatic ? DimMath.FloorDiv(rest._constant, divisor)
            : FromAtom(new BinaryAtom(DimFunction.FloorDiv, rest, divisor)));
    }
}
