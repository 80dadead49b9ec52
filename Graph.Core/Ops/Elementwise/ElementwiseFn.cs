namespace Graphene;

/// <summary>One elementwise function: a row of <see cref="ElementwiseTable"/>.</summary>
/// <param name="Name">StableHLO's name.</param>
/// <param name="Arity">The number of operands; all have the result's shape and, but for the result, one dtype.</param>
public sealed record ElementwiseFn(string Name, int Arity)
{
    /// <summary>The operations that an expensive function counts as: a polynomial with the reduction of its argument.</summary>
    public const int ExpensiveFlops = 20;

    /// <summary>The element types of the operands.</summary>
    public required DTypeSet Accepts { get; init; }

    /// <summary>The result's element type when it is not the operands': bool for predicates.</summary>
    public DType? Result { get; init; }

    /// <summary>The definition for floating types, in double precision; the result is rounded once.</summary>
    public Func<double[], double>? ReferenceFloating { get; init; }

    /// <summary>The definition for integers and bool, exactly; the result is wrapped to the dtype.</summary>
    public Func<Int128[], DType, Int128>? ReferenceInteger { get; init; }

    /// <summary>One element of the result from one element of each operand. Shares nothing with the references.</summary>
    public required Func<ExprFactory, ScalarExpr[], ScalarExpr> Element { get; init; }

    /// <summary>
    /// The partial derivatives, one for each operand, times a value: <c>(b, y, d) => [d * dy/dx0, ...]</c> for the node y. Each is taken
    /// element by element, so the same products are cotangents in reverse mode and tangents in forward mode. Null where it is 0.
    /// </summary>
    public Func<GraphBuilder, Node, Node, Node?[]>? Partials { get; init; }

    /// <summary>What happens to gradients when there are no partial derivatives, or a remark about them.</summary>
    public string? GradientNote { get; init; }

    /// <summary>Bound on the compiled f32 result's error, in units in the last place of the correctly rounded one.</summary>
    public double MaxUlp { get; init; }

    /// <summary>True when f(x, y) is f(y, x), bit for bit (NaN payloads aside).</summary>
    public bool Commutative { get; init; }

    /// <summary>True when f(f(x, y), z) is f(x, f(y, z)), bit for bit, on integers and bool.</summary>
    public bool AssociativeOnIntegers { get; init; }

    /// <summary>True when computing it twice costs more than storing and loading the value.</summary>
    public bool IsExpensive { get; init; }

    /// <summary>Rows are compared by name.</summary>
    public bool Equals(ElementwiseFn? other) => other is not null && Name == other.Name;

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Name, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
