namespace Graphene;

/// <summary>The expressions made so far; equal ones are one object.</summary>
public sealed class ExprPool
{
    private readonly Dictionary<object, ScalarExpr> _interned = [];
    private int _nextId;

    internal T Intern<T>(object key, Func<T> make)
        where T : ScalarExpr
    {
        if (_interned.TryGetValue(key, out ScalarExpr? present))
        {
            return (T)present;
        }
        T made = Register(make());
        _interned.Add(key, made);
        return made;
    }

    internal T Register<T>(T expr)
        where T : ScalarExpr
    {
        expr.Id = _nextId++;
        return expr;
    }
}

/// <summary>Makes scalar expressions, folding integer arithmetic that is exact whatever the values.</summary>
/// <param name="pool">Shared by all factories that build one kernel.</param>
public class ExprFactory(ExprPool pool)
{
    /// <summary>The shared expressions.</summary>
    public ExprPool Pool { get; } = pool;

    /// <summary>A constant.</summary>
    public ScalarExpr Constant(Scalar value) => Pool.Intern(("const", value), () => new ConstantExpr(value));

    /// <summary>A small number as a constant of a dtype.</summary>
    public ScalarExpr Constant(DType type, double value) => Constant(Scalar.FromNumber(type, value));

    /// <summary>A constant index.</summary>
    public ScalarExpr Index(long value) => Constant(Scalar.FromInteger(DType.I64, value));

    /// <summary>The value of a dim as an index.</summary>
    public ScalarExpr Index(Dim dim) =>
        dim.IsStatic ? Index(dim.Value) : Pool.Intern(("dim", dim), () => new DimExpr(dim));

    /// <summary>A new loop counter.</summary>
    public IndexVariable Variable(string name, Dim extent) => Pool.Register(new IndexVariable(name, extent));

    /// <summary>An element of a source.</summary>
    public ScalarExpr Load(int source, TensorType type, IndexVector at) => Pool.Intern(
        ("load", source, string.Join(',', at.Select(i => i.Id))), () => new LoadExpr(source, type, at));

    /// <summary>A scalar instruction. Comparisons and <see cref="ScalarOp.IsFinite"/> give bool, the others their operand's type.</summary>
    public ScalarExpr Call(ScalarOp op, params ScalarExpr[] arguments)
    {
        DType type = op is ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual or ScalarOp.IsFinite
            ? DType.Bool
            : arguments[0].DType;
        ScalarExpr? folded = arguments[0].DType == DType.I64 ? IndexFolding.TryFold(this, op, arguments) : null;
        return folded ?? Pool.Intern(
            (op, string.Join(',', arguments.Select(a => a.Id))), () => new CallExpr(op, type, arguments));
    }

    /// <summary>Sum.</summary>
    public ScalarExpr Add(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Add, a, b);

    /// <summary>Difference.</summary>
    public ScalarExpr Subtract(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Subtract, a, b);

    /// <summary>Product.</summary>
    public ScalarExpr Multiply(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Multiply, a, b);

    /// <summary>Quotient.</summary>
    public ScalarExpr Divide(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Divide, a, b);

    /// <summary>Remainder.</summary>
    public ScalarExpr Remainder(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Remainder, a, b);

    /// <summary>The larger.</summary>
    public ScalarExpr Maximum(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Maximum, a, b);

    /// <summary>The smaller.</summary>
    public ScalarExpr Minimum(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Minimum, a, b);

    /// <summary>Logical and.</summary>
    public ScalarExpr And(ScalarExpr a, ScalarExpr b) =>
        IsTrue(a) || IsFalse(b) ? b : IsTrue(b) || IsFalse(a) ? a : Call(ScalarOp.And, a, b);

    /// <summary>a &lt; b.</summary>
    public ScalarExpr Less(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Less, a, b);

    /// <summary>a &lt;= b.</summary>
    public ScalarExpr LessOrEqual(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.LessOrEqual, a, b);

    /// <summary>a == b.</summary>
    public ScalarExpr Equal(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.Equal, a, b);

    /// <summary>a != b.</summary>
    public ScalarExpr NotEqual(ScalarExpr a, ScalarExpr b) => Call(ScalarOp.NotEqual, a, b);

    /// <summary>A bool constant.</summary>
    public ScalarExpr True => Constant(Scalar.FromBool(true));

    /// <summary>A conversion by value; none when the type is the same.</summary>
    public ScalarExpr Convert(ScalarExpr value, DType type) => value.DType == type
        ? value
        : Pool.Intern(("convert", value.Id, type), () => new ConvertExpr(value, type));

    /// <summary>The same bits as a type of the same width.</summary>
    public ScalarExpr Bitcast(ScalarExpr value, DType type) => value.DType == type
        ? value
        : Pool.Intern(("bitcast", value.Id, type), () => new BitcastExpr(value, type));

    /// <summary>One of two values; both may be evaluated.</summary>
    public ScalarExpr Select(ScalarExpr condition, ScalarExpr whenTrue, ScalarExpr whenFalse) => Pool.Intern(
        ("select", condition.Id, whenTrue.Id, whenFalse.Id), () => new SelectExpr(condition, whenTrue, whenFalse));

    /// <summary>A value that may only be evaluated when a condition holds, else another.</summary>
    public ScalarExpr Guard(ScalarExpr condition, ScalarExpr value, ScalarExpr otherwise) => IsTrue(condition) ? value
        : IsFalse(condition) ? otherwise
        : Pool.Intern(
            ("guard", condition.Id, value.Id, otherwise.Id), () => new GuardExpr(condition, value, otherwise));

    /// <summary>Stands for a value that the schedule computes itself, for example the result of a dot inside its fusion.</summary>
    public CarriedExpr Placeholder(DType type) => Pool.Register(new CarriedExpr(type));

    /// <summary>A loop whose iterations run strictly in order.</summary>
    /// <param name="extents">One counter each, outermost first.</param>
    /// <param name="initial">The values carried in.</param>
    /// <param name="body">Gives the next carried values from the counters and the carried values.</param>
    /// <returns>The values carried out of the last iteration.</returns>
    public ScalarExpr[] Loop(
        IReadOnlyList<Dim> extents, ScalarExpr[] initial, Func<IndexVariable[], ScalarExpr[], ScalarExpr[]> body)
    {
        IndexVariable[] variables = Variables(extents);
        CarriedExpr[] carried = Array.ConvertAll(initial, x => Placeholder(x.DType));
        return Results(new LoopExpr(variables, initial, carried, body(variables, carried), null, null));
    }

    /// <summary>A reduction: a schedule may split it into a fixed set of lanes and join them by a fixed tree.</summary>
    /// <param name="extents">One counter each, outermost first.</param>
    /// <param name="initial">The values to begin with.</param>
    /// <param name="elements">What each iteration contributes.</param>
    /// <param name="combine">Combines two groups of partial results.</param>
    /// <returns>The reduced values.</returns>
    public ScalarExpr[] Reduce(
        IReadOnlyList<Dim> extents,
        ScalarExpr[] initial,
        Func<IndexVariable[], ScalarExpr[]> elements,
        Func<ScalarExpr[], ScalarExpr[], ScalarExpr[]> combine)
    {
        IndexVariable[] variables = Variables(extents);
        CarriedExpr[] carried = Array.ConvertAll(initial, x => Placeholder(x.DType));
        ScalarExpr[] values = elements(variables);
        return Results(new LoopExpr(variables, initial, carried, combine(carried, values), values, combine));
    }

    private static bool IsFalse(ScalarExpr e) => e is ConstantExpr { Value: { DType: DType.Bool, AsBool: false } };

    private static bool IsTrue(ScalarExpr e) => e is ConstantExpr { Value: { DType: DType.Bool, AsBool: true } };

    private IndexVariable[] Variables(IReadOnlyList<Dim> extents) =>
        [.. extents.Select((extent, i) => Variable($"r{i}", extent))];

    private ScalarExpr[] Results(LoopExpr loop) =>
        [.. loop.Initial.Select((_, i) => Pool.Register(new LoopResultExpr(loop, i)))];
}
