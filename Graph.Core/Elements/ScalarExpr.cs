namespace Graphene;

/// <summary>
/// A scalar expression: the neutral words in which an op describes one element of its result. Made by
/// <see cref="ExprFactory"/>, which makes equal expressions the same object; a shared object is computed once.
/// </summary>
public abstract class ScalarExpr
{
    private protected ScalarExpr(DType type) => DType = type;

    /// <summary>The type of the value. Indices are i64.</summary>
    public DType DType { get; }

    /// <summary>The order of creation within the factory.</summary>
    public int Id { get; internal set; }

    /// <summary>The number, when this is a constant integer.</summary>
    public long? AsConstantIndex => this is ConstantExpr { Value.DType: DType.I64 } c ? (long)c.Value.AsInteger : null;
}

/// <summary>A constant.</summary>
public sealed class ConstantExpr : ScalarExpr
{
    internal ConstantExpr(Scalar value)
        : base(value.DType) => Value = value;

    /// <summary>The constant.</summary>
    public Scalar Value { get; }
}

/// <summary>The run-time value of a symbolic dim, as i64.</summary>
public sealed class DimExpr : ScalarExpr
{
    internal DimExpr(Dim dim)
        : base(DType.I64) => Dim = dim;

    /// <summary>The dim.</summary>
    public Dim Dim { get; }
}

/// <summary>A loop counter in 0..Extent-1, as i64.</summary>
public sealed class IndexVariable : ScalarExpr
{
    internal IndexVariable(string name, Dim extent)
        : base(DType.I64)
    {
        Name = name;
        Extent = extent;
    }

    /// <summary>A name for dumps.</summary>
    public string Name { get; }

    /// <summary>The number of values it takes.</summary>
    public Dim Extent { get; }
}

/// <summary>An element of one of the sources (the parameters of the computation that is lowered).</summary>
public sealed class LoadExpr : ScalarExpr
{
    internal LoadExpr(int source, TensorType sourceType, IndexVector at)
        : base(sourceType.DType)
    {
        Source = source;
        SourceType = sourceType;
        At = at;
    }

    /// <summary>The number of the source.</summary>
    public int Source { get; }

    /// <summary>Type and layout of the source.</summary>
    public TensorType SourceType { get; }

    /// <summary>The logical index; within bounds wherever the expression is evaluated.</summary>
    public IndexVector At { get; }
}

/// <summary>A scalar instruction.</summary>
public sealed class CallExpr : ScalarExpr
{
    internal CallExpr(ScalarOp op, DType result, ScalarExpr[] arguments)
        : base(result)
    {
        Op = op;
        Arguments = arguments;
    }

    /// <summary>The instruction.</summary>
    public ScalarOp Op { get; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<ScalarExpr> Arguments { get; }
}

/// <summary>A conversion by value, as the convert op defines it.</summary>
public sealed class ConvertExpr : ScalarExpr
{
    internal ConvertExpr(ScalarExpr value, DType type)
        : base(type) => Value = value;

    /// <summary>What is converted.</summary>
    public ScalarExpr Value { get; }
}

/// <summary>The same bits as another type of the same width.</summary>
public sealed class BitcastExpr : ScalarExpr
{
    internal BitcastExpr(ScalarExpr value, DType type)
        : base(type) => Value = value;

    /// <summary>Whose bits.</summary>
    public ScalarExpr Value { get; }
}

/// <summary>One of two values; both may be evaluated.</summary>
public sealed class SelectExpr : ScalarExpr
{
    internal SelectExpr(ScalarExpr condition, ScalarExpr whenTrue, ScalarExpr whenFalse)
        : base(whenTrue.DType)
    {
        Condition = condition;
        WhenTrue = whenTrue;
        WhenFalse = whenFalse;
    }

    /// <summary>A bool.</summary>
    public ScalarExpr Condition { get; }

    /// <summary>The value when the condition holds.</summary>
    public ScalarExpr WhenTrue { get; }

    /// <summary>The value otherwise.</summary>
    public ScalarExpr WhenFalse { get; }
}

/// <summary>
/// A value that may only be evaluated when a condition holds (its loads would be out of bounds otherwise), else another.
/// </summary>
public sealed class GuardExpr : ScalarExpr
{
    internal GuardExpr(ScalarExpr condition, ScalarExpr value, ScalarExpr otherwise)
        : base(value.DType)
    {
        Condition = condition;
        Value = value;
        Otherwise = otherwise;
    }

    /// <summary>A bool.</summary>
    public ScalarExpr Condition { get; }

    /// <summary>Evaluated only when the condition holds.</summary>
    public ScalarExpr Value { get; }

    /// <summary>The value when it does not; always safe to evaluate.</summary>
    public ScalarExpr Otherwise { get; }
}

/// <summary>A value carried from one iteration of a loop to the next.</summary>
public sealed class CarriedExpr : ScalarExpr
{
    internal CarriedExpr(DType type)
        : base(type)
    {
    }
}

/// <summary>The final value of something carried by a loop.</summary>
public sealed class LoopResultExpr : ScalarExpr
{
    internal LoopResultExpr(LoopExpr loop, int result)
        : base(loop.Initial[result].DType)
    {
        Loop = loop;
        Result = result;
    }

    /// <summary>The loop.</summary>
    public LoopExpr Loop { get; }

    /// <summary>Which of the carried values.</summary>
    public int Result { get; }
}

/// <summary>Nested loops over index variables that carry values. Not itself a value: see <see cref="LoopResultExpr"/>.</summary>
public sealed class LoopExpr
{
    internal LoopExpr(
        IndexVariable[] variables,
        ScalarExpr[] initial,
        CarriedExpr[] carried,
        ScalarExpr[] next,
        ScalarExpr[]? elements,
        Func<ScalarExpr[], ScalarExpr[], ScalarExpr[]>? combine)
    {
        Variables = variables;
        Initial = initial;
        Carried = carried;
        Next = next;
        Elements = elements;
        Combine = combine;
    }

    /// <summary>The counters, outermost first.</summary>
    public IReadOnlyList<IndexVariable> Variables { get; }

    /// <summary>The values carried into the first iteration.</summary>
    public IReadOnlyList<ScalarExpr> Initial { get; }

    /// <summary>Stand for the carried values inside <see cref="Next"/>.</summary>
    public IReadOnlyList<CarriedExpr> Carried { get; }

    /// <summary>The values carried out of an iteration.</summary>
    public IReadOnlyList<ScalarExpr> Next { get; }

    /// <summary>For a reduction: what each iteration contributes; <see cref="Next"/> combines it with the carried values.</summary>
    public IReadOnlyList<ScalarExpr>? Elements { get; }

    /// <summary>
    /// For a reduction: combines two groups of partial results. A schedule may then split the iterations into a fixed number
    /// of interleaved lanes and join them by a fixed tree. Null when the iterations must run strictly in order.
    /// </summary>
    public Func<ScalarExpr[], ScalarExpr[], ScalarExpr[]>? Combine { get; }
}
