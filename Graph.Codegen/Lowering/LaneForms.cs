namespace Graphene.Codegen;

/// <summary>How the values of an expression in neighbouring lanes are related.</summary>
internal enum LaneForm
{
    /// <summary>They are the same.</summary>
    Same,

    /// <summary>Each is one more than the one before.</summary>
    Consecutive,

    /// <summary>Nothing is known.</summary>
    Any,
}

/// <summary>
/// What lanes have in common when a counter takes a few consecutive values that begin at a multiple of their number: quotients by
/// multiples of that number are the same, remainders are consecutive, and so is what comparisons with such multiples say.
/// </summary>
/// <remarks>
/// <code>
/// reshape of [12, 64] to [768], four lanes from i = 4 n:   row = i / 64 in all lanes,  column = i % 64, ..., i % 64 + 3
/// </code>
/// So an index that no affine form has is computed once for a vector, and what it leads to is a vector in memory.
/// </remarks>
internal sealed class LaneForms(ExprAnalysis analysis, IndexVariable variable, int lanes)
{
    // Whoever asks for more has enough.
    private const long Most = 64;

    private readonly Dictionary<ScalarExpr, LaneForm> _forms = [];

    /// <summary>How many lanes there are: a power of two.</summary>
    public int Lanes => lanes;

    /// <summary>The form of an expression.</summary>
    public LaneForm Of(ScalarExpr e)
    {
        if (ReferenceEquals(e, variable))
        {
            return LaneForm.Consecutive;
        }
        if (!analysis.DependsOn(e, [variable]))
        {
            return LaneForm.Same;
        }
        if (!_forms.TryGetValue(e, out LaneForm form))
        {
            _forms.Add(e, form = Find(e));
        }
        return form;
    }

    /// <summary>The distance of neighbouring lanes in memory; null when they are anywhere.</summary>
    public Dim? StrideOf(AffineIndex index)
    {
        Dim stride = index[variable];
        foreach ((ScalarExpr term, Dim factor) in index.Opaque)
        {
            switch (Of(term))
            {
                case LaneForm.Consecutive:
                    stride += factor;
                    break;
                case LaneForm.Any:
                    return null;
            }
        }
        return stride;
    }

    /// <summary>A power of two, at most the number of lanes, that the place of the first lane is a multiple of.</summary>
    /// <param name="index">The place.</param>
    /// <param name="isZero">Tells which counters are 0.</param>
    public int Alignment(AffineIndex index, Func<IndexVariable, bool> isZero)
    {
        long multiple = MultipleOf(index.Constant);
        foreach (IndexVariable v in index.Variables)
        {
            if (!isZero(v))
            {
                multiple = Math.Min(multiple, Times(MultipleOf(index[v]), MultipleOf(v)));
            }
        }
        foreach ((ScalarExpr term, Dim factor) in index.Opaque)
        {
            multiple = Math.Min(multiple, Times(MultipleOf(factor), MultipleOf(term)));
        }
        return (int)Math.Min(multiple, lanes);
    }

    private LaneForm Find(ScalarExpr e)
    {
        LaneForm[] parts = [.. ExprAnalysis.Parts(e).Select(Of)];
        if (parts.All(p => p == LaneForm.Same))
        {
            // Sums in lanes of their own have another order.
            return e is LoopResultExpr { Loop: { Combine: not null, Variables.Count: > 0 } } ? LaneForm.Any : LaneForm.Same;
        }
        return e is CallExpr { Arguments: [var a, var b] } call ? Find(call.Op, a, b, parts) : LaneForm.Any;
    }

    private LaneForm Find(ScalarOp op, ScalarExpr a, ScalarExpr b, LaneForm[] parts) => (op, parts[0], parts[1]) switch
    {
        (ScalarOp.Add, LaneForm.Consecutive, LaneForm.Same) or (ScalarOp.Add, LaneForm.Same, LaneForm.Consecutive)
            or (ScalarOp.Subtract, LaneForm.Consecutive, LaneForm.Same) => LaneForm.Consecutive,

        // (n m + l) / (n k) = m / k and (n m + l) % (n k) = n (m % k) + l, for n lanes l
        (ScalarOp.Divide, LaneForm.Consecutive, LaneForm.Same) when IsAligned(a) && IsAligned(b) && IsNatural(a, b) => LaneForm.Same,
        (ScalarOp.Remainder, LaneForm.Consecutive, LaneForm.Same) when IsAligned(a) && IsAligned(b) && IsNatural(a, b)
            => LaneForm.Consecutive,

        // n m + l < n k where m < k, and n k <= n m + l where k <= m
        (ScalarOp.Less, LaneForm.Consecutive, LaneForm.Same) when IsAligned(a) && IsAligned(b) => LaneForm.Same,
        (ScalarOp.LessOrEqual, LaneForm.Same, LaneForm.Consecutive) when IsAligned(a) && IsAligned(b) => LaneForm.Same,
        (ScalarOp.LessOrEqual, LaneForm.Consecutive, LaneForm.Same) when IsAligned(a) && IsAligned(b, plus: 1) => LaneForm.Same,
        (ScalarOp.Less, LaneForm.Same, LaneForm.Consecutive) when IsAligned(b) && IsAligned(a, plus: 1) => LaneForm.Same,
        _ => LaneForm.Any,
    };

    private bool IsAligned(ScalarExpr e, long plus = 0) => plus == 0
        ? MultipleOf(e) >= lanes
        : e.AsConstantIndex is { } value && (value + plus) % lanes == 0;

    private static bool IsNatural(ScalarExpr a, ScalarExpr b) => IndexRange.Of(a).Min >= 0 && IndexRange.Of(b).Min > 0;

    // A power of two that the value in the first lane is a multiple of.
    private long MultipleOf(ScalarExpr e) => e switch
    {
        ConstantExpr { Value.DType: DType.I64 } c => MultipleOf((Dim)(long)c.Value.AsInteger),
        DimExpr d => MultipleOf(d.Dim),
        IndexVariable v => ReferenceEquals(v, variable) ? lanes : 1,
        CallExpr { Op: ScalarOp.Add or ScalarOp.Subtract } c => Math.Min(MultipleOf(c.Arguments[0]), MultipleOf(c.Arguments[1])),
        CallExpr { Op: ScalarOp.Multiply } c => Times(MultipleOf(c.Arguments[0]), MultipleOf(c.Arguments[1])),
        CallExpr { Op: ScalarOp.Remainder } c => Math.Min(MultipleOf(c.Arguments[0]), MultipleOf(c.Arguments[1])),
        CallExpr { Op: ScalarOp.Divide } c when c.Arguments[1].AsConstantIndex is { } y and > 0 && MultipleOf(c.Arguments[0]) % y == 0
            => MultipleOf(c.Arguments[0]) / y,
        _ => 1,
    };

    /// <summary>A power of two that a dim is a multiple of, whatever its symbols are.</summary>
    public static long MultipleOf(Dim dim)
    {
        long multiple = 1;
        while (multiple < Most && Dim.TryDivideExact(dim, 2 * multiple, out _))
        {
            multiple *= 2;
        }
        return multiple;
    }

    private static long Times(long a, long b) => Math.Min(Most, a * b);
}
