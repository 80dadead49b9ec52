namespace Graphene.Codegen;

/// <summary>
/// A position in a buffer as a sum: loop counters times strides, plus a dim, plus terms that are not linear in any counter.
/// </summary>
internal sealed class AffineIndex
{
    private readonly Dictionary<IndexVariable, Dim> _coefficients = [];
    private readonly List<(ScalarExpr Term, Dim Factor)> _opaque = [];

    /// <summary>The part that does not change.</summary>
    public Dim Constant { get; private set; } = 0;

    /// <summary>The terms that are not linear, with their factors.</summary>
    public IReadOnlyList<(ScalarExpr Term, Dim Factor)> Opaque => _opaque;

    /// <summary>The counters that occur.</summary>
    public IEnumerable<IndexVariable> Variables => _coefficients.Keys;

    /// <summary>The stride of a counter; 0 when it does not occur.</summary>
    public Dim this[IndexVariable variable] => _coefficients.GetValueOrDefault(variable, 0);

    /// <summary>The position of a load in its source's physical order.</summary>
    public static AffineIndex Of(LoadExpr load) => Of(load.At, load.SourceType);

    /// <summary>The position of an element in a tensor's physical order.</summary>
    public static AffineIndex Of(IndexVector at, TensorType type)
    {
        var index = new AffineIndex();
        Dim[] strides = type.Strides();
        for (int axis = 0; axis < at.Count; axis++)
        {
            index.Add(at[axis], strides[axis]);
        }
        return index;
    }

    /// <summary>The difference of two indices, plus a number.</summary>
    public static AffineIndex Difference(ScalarExpr left, ScalarExpr right, long plus)
    {
        var index = new AffineIndex { Constant = plus };
        index.Add(left, 1);
        index.Add(right, -1);
        return index;
    }

    /// <summary>Whether the position is a multiple of a number wherever some counters are.</summary>
    /// <param name="number">The number.</param>
    /// <param name="counters">Counters that only take multiples of it.</param>
    public bool IsMultipleOf(long number, params IReadOnlyList<IndexVariable> counters) =>
        _opaque.Count == 0 && IsMultiple(Constant, number) &&
        _coefficients.All(c => counters.Contains(c.Key) || IsMultiple(c.Value, number));

    private static bool IsMultiple(Dim dim, long number) =>
        number == 1 || (dim.IsStatic ? dim.Value % number == 0 : Dim.TryDivideExact(dim, number, out _));

    private void Add(ScalarExpr e, Dim factor)
    {
        switch (e)
        {
            case ConstantExpr c:
                Constant += factor * (long)c.Value.AsInteger;
                break;
            case DimExpr d:
                Constant += factor * d.Dim;
                break;
            case IndexVariable v:
                _coefficients[v] = this[v] + factor;
                break;
            case CallExpr { Op: ScalarOp.Add } sum:
                Add(sum.Arguments[0], factor);
                Add(sum.Arguments[1], factor);
                break;
            case CallExpr { Op: ScalarOp.Subtract } difference:
                Add(difference.Arguments[0], factor);
                Add(difference.Arguments[1], factor * -1);
                break;
            case CallExpr { Op: ScalarOp.Multiply } product when AsDim(product.Arguments[1]) is { } right:
                Add(product.Arguments[0], factor * right);
                break;
            case CallExpr { Op: ScalarOp.Multiply } product when AsDim(product.Arguments[0]) is { } left:
                Add(product.Arguments[1], factor * left);
                break;
            default:
                _opaque.Add((e, factor));
                break;
        }
    }

    private static Dim? AsDim(ScalarExpr e) => e switch
    {
        ConstantExpr c => (Dim)(long)c.Value.AsInteger,
        DimExpr d => d.Dim,
        _ => (Dim?)null,
    };
}
