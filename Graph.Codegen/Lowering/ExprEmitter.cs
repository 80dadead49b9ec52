namespace Graphene.Codegen;

/// <summary>
/// Turns scalar expressions into Kernel IR at the builder's present place: scalars where a value is the same for all lanes,
/// vectors where it depends on the vector axis.
/// </summary>
/// <remarks>
/// Values are remembered per scope, so a shared expression is computed once, at its first use. A scope is a block of the kernel,
/// or the extent of a mask: what was computed under a mask is not used outside of it.
/// </remarks>
internal sealed partial class ExprEmitter
{
    private readonly List<Dictionary<object, KExpr[]>> _scopes = [[]];
    private readonly Func<int, KBuffer> _source;
    private VectorAxis? _vector;
    private KExpr? _mask;
    private bool _guarded;

    public ExprEmitter(KBuilder builder, ExprAnalysis analysis, Func<int, KBuffer> source)
    {
        Builder = builder;
        Analysis = analysis;
        _source = source;
    }

    /// <summary>Where statements go.</summary>
    public KBuilder Builder { get; }

    /// <summary>Facts about the expressions.</summary>
    public ExprAnalysis Analysis { get; }

    /// <summary>The machine; null for code that is to be the plainest.</summary>
    public KernelTarget? Target { get; init; }

    /// <summary>The mask that stores must respect; null for all lanes.</summary>
    public KExpr? Mask => _mask;

    /// <summary>The value of an expression: a scalar when all lanes agree.</summary>
    public KExpr Emit(ScalarExpr e)
    {
        if (Lookup(e) is { } known)
        {
            return known[0];
        }
        KExpr value = IsSameInAllLanes(e) ? EmitFirst(e) : Builder.Let("t", Compute(e));
        Bind(e, value);
        return value;
    }

    /// <summary>The value in as many lanes as the vector axis has.</summary>
    public KExpr EmitLanes(ScalarExpr e) => KBuilder.Broadcast(Emit(e), _vector?.Lanes ?? 1);

    /// <summary>Gives an expression (a counter, a carried value) a value in the present scope.</summary>
    public void Bind(ScalarExpr e, KExpr value) => _scopes[^1][e] = [value];

    /// <summary>Runs an action with values remembered only meanwhile.</summary>
    public void InScope(Action action)
    {
        _scopes.Add([]);
        action();
        _scopes.RemoveAt(_scopes.Count - 1);
    }

    /// <summary>Runs an action in which a counter takes <paramref name="lanes"/> values at once.</summary>
    /// <param name="variable">The counter.</param>
    /// <param name="first">Its value in the first lane.</param>
    /// <param name="lanes">How many lanes; 1 for a scalar.</param>
    /// <param name="mask">The lanes that exist; null for all. A place that is the same for all lanes exists even when none of them does.</param>
    /// <param name="action">What to emit.</param>
    /// <param name="step">The distance of the counter's values in neighbouring lanes.</param>
    /// <param name="forms">What is known about lanes that begin at a multiple of their number; null for lanes that begin anywhere.</param>
    public void WithVector(
        IndexVariable variable, KExpr first, int lanes, KExpr? mask, Action action, int step = 1, LaneForms? forms = null)
    {
        (VectorAxis? vector, KExpr? outer) = (_vector, _mask);
        InScope(() =>
        {
            if (lanes > 1 || mask is not null)
            {
                _vector = new VectorAxis(variable, first, lanes, step, forms);
                _mask = mask;
            }
            Bind(variable, lanes == 1 ? first : new KRamp(first, step, lanes));
            action();
        });
        (_vector, _mask) = (vector, outer);
    }

    /// <summary>The position that an affine index has now; no counter in it may be the vector axis.</summary>
    public KExpr EmitPosition(AffineIndex index) => EmitPosition(index, null);

    /// <summary>Writes lanes (or a scalar) to where an affine index leads now.</summary>
    /// <param name="buffer">The buffer.</param>
    /// <param name="index">The place.</param>
    /// <param name="value">What is written.</param>
    /// <param name="isStreamed">Whether whole vectors may go around the caches.</param>
    public void Store(KBuffer buffer, AffineIndex index, KExpr value, bool isStreamed = false)
    {
        Access at = AccessOf(index);
        if (at.Places is { } places)
        {
            Builder.Add(new KScatter(buffer, places, value, _mask));
            return;
        }
        bool isStreaming = isStreamed && _vector is not null && _mask is null;
        Builder.Add(new KStore(buffer, at.First, value, _mask, isStreaming, at.Alignment));
    }

    /// <summary>As <see cref="Store"/>; whole vectors go around the caches where a condition holds that is the same in the whole kernel.</summary>
    public void StoreAround(KBuffer buffer, AffineIndex index, KExpr value, KExpr condition)
    {
        Access at = AccessOf(index);
        if (at.Places is not null || _vector is null || _mask is not null)
        {
            Store(buffer, index, value);
            return;
        }
        KExpr lanes = Builder.Let("value", value);
        Builder.If(
            condition,
            () => Builder.Stream(buffer, at.First, lanes),
            () => Builder.Add(new KStore(buffer, at.First, lanes, Alignment: at.Alignment)));
    }

    /// <summary>Asks for what a load reads a distance further along the vector axis, a cache line at a time.</summary>
    public void Prefetch(LoadExpr load, long distanceInBytes)
    {
        // What is computed, kept and read until then has to fit beside it.
        bool isSoon = 4 * distanceInBytes <= (Target?.Caches ?? CacheSizes.Typical).FirstLevelInBytes;
        Prefetch(load, distanceInBytes, isSoon);
    }

    private void Prefetch(LoadExpr load, long distanceInBytes, bool isSoon)
    {
        AffineIndex index = AffineIndex.Of(load);
        if (_vector is null || index.Opaque.Count > 0 || index[_vector.Variable] != 1)
        {
            return;
        }
        KBuffer buffer = _source(load.Source);
        int size = buffer.Element.SizeInBytes();
        KExpr position = KBuilder.Add(EmitPosition(index, _vector.Variable), _vector.First);
        for (int at = 0; at < _vector.Lanes * size; at += CacheSizes.LineInBytes)
        {
            Builder.Add(new KPrefetch(buffer, KBuilder.Add(position, (distanceInBytes + at) / size), isSoon));
        }
    }

    /// <summary>
    /// Computes, before a loop is entered, what does not change in it: everything in the expressions that does not depend on the
    /// loop's variables. What a guard protects stays where it is.
    /// </summary>
    public void Hoist(IEnumerable<ScalarExpr> expressions, IReadOnlyCollection<ScalarExpr> variables)
    {
        var seen = new HashSet<ScalarExpr>();
        foreach (ScalarExpr e in expressions)
        {
            Visit(e);
        }

        void Visit(ScalarExpr e)
        {
            if (!seen.Add(e) || e is ConstantExpr or DimExpr or IndexVariable or CarriedExpr)
            {
                return;
            }
            if (!Analysis.DependsOn(e, variables))
            {
                if (IsBound(e))
                {
                    Emit(e);
                }
                return;
            }
            IEnumerable<ScalarExpr> parts = e is GuardExpr guard ? [guard.Condition, guard.Otherwise] : ExprAnalysis.Parts(e);
            foreach (ScalarExpr part in parts)
            {
                Visit(part);
            }
        }
    }

    // False inside of a loop body for what depends on that loop's own, not yet entered, variables.
    private bool IsBound(ScalarExpr e) =>
        Analysis.FreeVariables(e).All(v => Lookup(v) is not null || ReferenceEquals(v, _vector?.Variable));

    private KExpr[]? Lookup(object key)
    {
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].TryGetValue(key, out KExpr[]? known))
            {
                return known;
            }
            // A counter has another value from here on, so what was computed outside with the old one does not count.
            if (DependsOn(key, _scopes[i]))
            {
                return null;
            }
        }
        return null;
    }

    private bool DependsOn(object key, Dictionary<object, KExpr[]> bound) => key switch
    {
        ScalarExpr e => Analysis.FreeVariables(e).Any(bound.ContainsKey),
        FirstLane first => Analysis.FreeVariables(first.Expression).Any(bound.ContainsKey),
        LoopExpr loop => loop.Initial.Concat(loop.Next).SelectMany(Analysis.FreeVariables)
            .Any(v => bound.ContainsKey(v) && !loop.Variables.Contains(v) && !loop.Carried.Contains(v)),
        _ => false,
    };

    private KExpr Compute(ScalarExpr e) => e switch
    {
        ConstantExpr c => new KConstant(c.Value, 1),
        DimExpr d => KBuilder.Value(d.Dim),
        LoadExpr load => EmitLoad(load),
        CallExpr { Op: ScalarOp.Divide } division => EmitDivision(division),
        CallExpr call => EmitCall(call.Op, [.. call.Arguments.Select(Emit)]),
        ConvertExpr convert => new KConvert(Emit(convert.Value), convert.DType),
        BitcastExpr bitcast => new KBitcast(Emit(bitcast.Value), bitcast.DType),
        SelectExpr s => EmitSelect(Emit(s.Condition), Emit(s.WhenTrue), Emit(s.WhenFalse)),
        GuardExpr guard => EmitGuard(guard),
        LoopResultExpr result => EmitLoop(result.Loop)[result.Result],
        _ => throw new CompilerBugException("lowering", $"{e.GetType().Name} {e.Id} has no value here"),
    };

    // What all lanes are divided by is looked at once; the loop around moves that out of it.
    private KExpr EmitDivision(CallExpr division)
    {
        KExpr[] arguments = [.. division.Arguments.Select(Emit)];
        bool isShared = arguments is [{ Type.IsScalar: false }, { Type.IsScalar: true }];
        return isShared && Target is not null && RepeatedDivision.Pays(Target, division.DType)
            ? RepeatedDivision.Prepare(Builder, arguments[1]).Divide(Builder, arguments[0])
            : EmitCall(ScalarOp.Divide, arguments);
    }

    /// <summary>A scalar instruction: 16-bit floating types compute in f32 and round after each one.</summary>
    public static KExpr EmitCall(ScalarOp op, KExpr[] arguments)
    {
        DType type = arguments[0].Type.Element;
        if (type == DType.Bool && op is ScalarOp.Maximum or ScalarOp.Minimum)
        {
            return KBuilder.Call(op == ScalarOp.Maximum ? ScalarOp.Or : ScalarOp.And, arguments);
        }
        if (type is not (DType.F16 or DType.BF16))
        {
            return KBuilder.Call(op, arguments);
        }
        KExpr value = KBuilder.Call(op, Array.ConvertAll(arguments, a => (KExpr)new KConvert(a, DType.F32)));
        return value.Type.Element == DType.Bool ? value : new KConvert(value, type);
    }

    private static KExpr EmitSelect(KExpr condition, KExpr whenTrue, KExpr whenFalse)
    {
        int lanes = Math.Max(condition.Type.Lanes, Math.Max(whenTrue.Type.Lanes, whenFalse.Type.Lanes));
        return new KSelect(
            KBuilder.Broadcast(condition, lanes), KBuilder.Broadcast(whenTrue, lanes), KBuilder.Broadcast(whenFalse, lanes));
    }

    private KExpr EmitLoad(LoadExpr load)
    {
        KBuffer buffer = _source(load.Source);
        Access at = AccessOf(AffineIndex.Of(load));
        return at.Places is { } places ? new KGather(buffer, places, _mask)
            : at.IsShared ? new KLoad(buffer, at.First)
            : new KLoad(buffer, at.First, _vector!.Lanes, _mask, Alignment: at.Alignment);
    }

    private KExpr EmitPosition(AffineIndex index, IndexVariable? without)
    {
        KExpr position = KBuilder.Value(index.Constant);
        foreach (IndexVariable variable in index.Variables)
        {
            if (!ReferenceEquals(variable, without))
            {
                position = KBuilder.Add(KBuilder.Multiply(Emit(variable), KBuilder.Value(index[variable])), position);
            }
        }
        foreach ((ScalarExpr term, Dim factor) in index.Opaque)
        {
            position = KBuilder.Add(KBuilder.Multiply(Emit(term), KBuilder.Value(factor)), position);
        }
        return position;
    }

    private KExpr EmitGuard(GuardExpr guard)
    {
        KExpr condition = Emit(guard.Condition);
        KExpr otherwise = Emit(guard.Otherwise);
        return condition.Type.IsScalar ? GuardByBranch(guard, condition, otherwise) : GuardByMask(guard, condition, otherwise);
    }

    private KRead GuardByBranch(GuardExpr guard, KExpr condition, KExpr otherwise)
    {
        bool varies = _guarded || (_vector is not null && Analysis.DependsOn(guard.Value, [_vector.Variable]));
        int lanes = Math.Max(varies ? _vector!.Lanes : 1, otherwise.Type.Lanes);
        KRegister result = Builder.Declare("guarded", KBuilder.Broadcast(otherwise, lanes));
        Builder.If(condition, () => InScope(
            () => Builder.Assign(result, KBuilder.Broadcast(Emit(guard.Value), lanes))));
        return new KRead(result);
    }

    private KExpr GuardByMask(GuardExpr guard, KExpr condition, KExpr otherwise)
    {
        (KExpr? mask, bool guarded) = (_mask, _guarded);
        _mask = mask is null ? condition : KBuilder.Call(ScalarOp.And, mask, condition);
        _guarded = true;
        KExpr? value = null;
        InScope(() => value = Emit(guard.Value));
        (_mask, _guarded) = (mask, guarded);
        return EmitSelect(condition, value!, otherwise);
    }

    private sealed record VectorAxis(IndexVariable Variable, KExpr First, int Lanes, int Step, LaneForms? Forms);
}
