using System.Numerics;

namespace Graphene;

/// <summary>
/// Simplifies i64 arithmetic on indices: constants fold, neutral elements vanish, sums keep their constant on the right, and
/// quotients and remainders of values with known ranges disappear.
/// </summary>
internal static class IndexFolding
{
    public static ScalarExpr? TryFold(ExprFactory f, ScalarOp op, ScalarExpr[] args)
    {
        if (args.Length != 2)
        {
            return null;
        }
        ScalarExpr a = args[0];
        ScalarExpr b = args[1];
        return (op, a.AsConstantIndex, b.AsConstantIndex) switch
        {
            (ScalarOp.Add, { } x, { } y) => f.Index(unchecked(x + y)),
            (ScalarOp.Subtract, { } x, { } y) => f.Index(unchecked(x - y)),
            (ScalarOp.Multiply, { } x, { } y) => f.Index(unchecked(x * y)),
            (ScalarOp.Divide, { } x, { } y) when y > 0 && x >= 0 => f.Index(x / y),
            (ScalarOp.Remainder, { } x, { } y) when y > 0 && x >= 0 => f.Index(x % y),
            (ScalarOp.Maximum, { } x, { } y) => f.Index(Math.Max(x, y)),
            (ScalarOp.Minimum, { } x, { } y) => f.Index(Math.Min(x, y)),
            (ScalarOp.Less, { } x, { } y) => f.Constant(Scalar.FromBool(x < y)),
            (ScalarOp.LessOrEqual, { } x, { } y) => f.Constant(Scalar.FromBool(x <= y)),
            (ScalarOp.Equal, { } x, { } y) => f.Constant(Scalar.FromBool(x == y)),
            (ScalarOp.Add, 0, _) => b,
            (ScalarOp.Add, _, 0) or (ScalarOp.Subtract, _, 0) => a,
            (ScalarOp.Add, not null, null) => f.Add(b, a),
            (ScalarOp.Subtract, null, { } y) => f.Add(a, f.Index(unchecked(-y))),
            (ScalarOp.Add, null, { } y) when a is CallExpr { Op: ScalarOp.Add } sum && sum.Arguments[1].AsConstantIndex is { } x
                => f.Add(sum.Arguments[0], f.Index(unchecked(x + y))),
            (ScalarOp.Multiply, 0, _) or (ScalarOp.Multiply, _, 0) => f.Index(0),
            (ScalarOp.Multiply, 1, _) => b,
            (ScalarOp.Multiply, _, 1) or (ScalarOp.Divide, _, 1) => a,
            (ScalarOp.Multiply, not null, null) => f.Multiply(b, a),
            (ScalarOp.Remainder, _, 1) => f.Index(0),
            (ScalarOp.Divide, null, { } y) when y > 0 => Divide(f, a, y),
            (ScalarOp.Remainder, null, { } y) when y > 0 => Remainder(f, a, y),
            (ScalarOp.Less, _, _) => Decide(f, IndexRange.Of(a), IndexRange.Of(b), strict: true),
            (ScalarOp.LessOrEqual, _, _) => Decide(f, IndexRange.Of(a), IndexRange.Of(b), strict: false),
            _ => null,
        };
    }

    // x / y for x in 0..y-1 => 0;  (x*c + r) / y with y | c => x*(c/y) + r/y when nothing is negative;
    // (x*c + r) / y for r in 0..g-1, g | c and g | y => x*(c/g) / (y/g)
    private static ScalarExpr? Divide(ExprFactory f, ScalarExpr x, long y)
    {
        DimRange range = IndexRange.Of(x);
        if (range.Min < 0)
        {
            return null;
        }
        if (range.Max < y)
        {
            return f.Index(0);
        }
        if (x is CallExpr { Op: ScalarOp.Multiply } product && product.Arguments[1].AsConstantIndex % y == 0)
        {
            return Scale(f, product, y);
        }
        if (Split(x, y) is ({ } multiple, { } rest))
        {
            return f.Add(Scale(f, multiple, y), f.Divide(rest, f.Index(y)));
        }
        return SplitByFactor(x, y) is ({ } part, not null, var factor) ? f.Divide(Scale(f, part, factor), f.Index(y / factor)) : null;
    }

    // x % y for x in 0..y-1 => x;  (x*c + r) % y with y | c => r % y when nothing is negative;
    // (x*c + r) % y for r in 0..g-1, g | c and g | y => (x*(c/g) % (y/g))*g + r
    private static ScalarExpr? Remainder(ExprFactory f, ScalarExpr x, long y)
    {
        DimRange range = IndexRange.Of(x);
        if (range.Min < 0)
        {
            return null;
        }
        if (range.Max < y)
        {
            return x;
        }
        if (x is CallExpr { Op: ScalarOp.Multiply } product && product.Arguments[1].AsConstantIndex % y == 0)
        {
            return f.Index(0);
        }
        if (Split(x, y) is (not null, { } rest))
        {
            return f.Remainder(rest, f.Index(y));
        }
        return SplitByFactor(x, y) is ({ } part, { } below, var factor)
            ? f.Add(f.Multiply(f.Remainder(Scale(f, part, factor), f.Index(y / factor)), f.Index(factor)), below)
            : null;
    }

    // x = multiple + rest, where y divides multiple (a product with a constant) and rest is not negative.
    private static (ScalarExpr? Multiple, ScalarExpr? Others) Split(ScalarExpr x, long y)
    {
        if (x is not CallExpr { Op: ScalarOp.Add } sum)
        {
            return default;
        }
        foreach ((ScalarExpr candidate, ScalarExpr rest) in
            new[] { (sum.Arguments[0], sum.Arguments[1]), (sum.Arguments[1], sum.Arguments[0]) })
        {
            bool divides = candidate is CallExpr { Op: ScalarOp.Multiply } p && p.Arguments[1].AsConstantIndex % y == 0;
            if (divides && IndexRange.Of(rest).Min >= 0 && IndexRange.Of(candidate).Min >= 0)
            {
                return (candidate, rest);
            }
        }
        return default;
    }

    // x = part + rest, where a common factor of y and part (a product with a constant) exceeds rest, and neither is negative.
    private static (ScalarExpr? Part, ScalarExpr? Below, long Factor) SplitByFactor(ScalarExpr x, long y)
    {
        if (x is not CallExpr { Op: ScalarOp.Add } sum)
        {
            return default;
        }
        foreach ((ScalarExpr candidate, ScalarExpr rest) in
            new[] { (sum.Arguments[0], sum.Arguments[1]), (sum.Arguments[1], sum.Arguments[0]) })
        {
            if (candidate is CallExpr { Op: ScalarOp.Multiply } p && p.Arguments[1].AsConstantIndex is > 0 and var constant &&
                (long)BigInteger.GreatestCommonDivisor(constant, y) is > 1 and var factor &&
                IndexRange.Of(rest) is { Min: >= 0 } range && range.Max < factor && IndexRange.Of(candidate).Min >= 0)
            {
                return (candidate, rest, factor);
            }
        }
        return default;
    }

    private static ScalarExpr Scale(ExprFactory f, ScalarExpr product, long y)
    {
        var call = (CallExpr)product;
        return f.Multiply(call.Arguments[0], f.Index(call.Arguments[1].AsConstantIndex!.Value / y));
    }

    private static ScalarExpr? Decide(ExprFactory f, DimRange a, DimRange b, bool strict)
    {
        if (strict ? a.Max < b.Min : a.Max <= b.Min)
        {
            return f.Constant(Scalar.FromBool(true));
        }
        return (strict ? a.Min >= b.Max : a.Min > b.Max) ? f.Constant(Scalar.FromBool(false)) : null;
    }
}
