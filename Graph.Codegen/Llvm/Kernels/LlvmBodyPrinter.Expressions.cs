namespace Graphene.Codegen.Llvm;

/// <content>Expressions: each object is computed once per statement.</content>
internal abstract partial class LlvmBodyPrinter
{
    private readonly Dictionary<KExpr, LlvmValue> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Expansions _expansions = new(target.HasFma);

    private readonly Dictionary<KRegister, LlvmValue> _read = new(ReferenceEqualityComparer.Instance);

    /// <summary>The value of an expression, at the beginning of a statement.</summary>
    protected LlvmValue Evaluate(KExpr root)
    {
        _known.Clear();
        _read.Clear();
        _expansions.Clear();
        return EvaluateAlso(root);
    }

    /// <summary>As <see cref="Evaluate"/>, within the same statement: what was computed stays known.</summary>
    protected LlvmValue EvaluateAlso(KExpr root)
    {
        KTraversal.PostOrder(root, _known.ContainsKey, Parts, e => _known.Add(e, Compute(e)));
        return _known[root];
    }

    private IReadOnlyList<KExpr> Parts(KExpr e) => e switch
    {
        KCall call when _expansions.Of(call) is { } expansion => [expansion],
        KScale scale => HasScale(scale.Type) ? [scale.Value, scale.Exponent] : [scale.Product],
        KSelect { IsRare: true } select => [select.Condition, select.WhenFalse],
        KLoad load => KTraversal.Operands(load with { Index = Varying(load.Index) }),
        _ => KTraversal.Operands(e),
    };

    /// <summary>The value of an operand of what is computed now.</summary>
    protected LlvmValue Known(KExpr operand) => _known[operand];

    /// <summary>Computes an expression whose operands are known.</summary>
    protected virtual LlvmValue Compute(KExpr e) => e switch
    {
        KConstant constant => LlvmTypes.Constant(constant.Value, constant.Lanes),
        KVariable variable => _variables.TryGetValue(variable, out LlvmValue value)
            ? value
            : throw Bug($"variable '{variable.Name}' is used before it is bound"),
        KRead read => Read(read.Register),
        KSymbol symbol => Symbol(symbol.Symbol),
        KLoad load => Load(load),
        KGather gather => Gather(gather),
        KCall call when _expansions.Of(call) is { } expansion => _known[expansion],
        KCall call => Call(call),
        KSelect { IsRare: true } select => SelectRarely(select),
        KSelect select => Select(_known[select.Condition], _known[select.WhenTrue], _known[select.WhenFalse]),
        KScale scale => HasScale(scale.Type) ? Scale(_known[scale.Value], _known[scale.Exponent]) : _known[scale.Product],
        KLookup lookup => Lookup(lookup, _known[lookup.Index]),
        KConvert convert => Convert(_known[convert.Value], convert.To),
        KBitcast bitcast => Bitcast(_known[bitcast.Value], bitcast.To),
        KBroadcast broadcast => Broadcast(_known[broadcast.Value], broadcast.Lanes),
        KRamp ramp => Ramp(ramp),
        KShuffle { Value: KJoin { Low.Type.Lanes: > 1 } join, Lanes.Count: > 1 } shuffle =>
            ShuffleTwo(_known[join.Low], _known[join.High], shuffle.Lanes),
        KShuffle shuffle => Shuffle(_known[shuffle.Value], shuffle.Lanes),
        KJoin join => Join(_known[join.Low], _known[join.High]),
        KAny any => AnyLane(_known[any.Flags]),
        KDot dot => Dot(_known[dot.Sum], _known[dot.Left], _known[dot.Right]),
        _ => throw Bug($"unknown expression {e.GetType().Name}"),
    };

    private LlvmValue Read(KRegister register)
    {
        if (!_read.TryGetValue(register, out LlvmValue value))
        {
            value = Out.Add(register.Type, $"load {LlvmTypes.Register(register.Type)}, ptr {Place(register)}");
            _read.Add(register, value);
        }
        return value;
    }

    /// <summary>One of two values, lane by lane.</summary>
    protected LlvmValue Select(LlvmValue condition, LlvmValue whenTrue, LlvmValue whenFalse) =>
        Out.Add(whenTrue.Type, $"select {condition}, {whenTrue}, {whenFalse}");

    // The true side is computed in a block of its own that is entered when some lane needs it.
    private LlvmValue SelectRarely(KSelect select)
    {
        LlvmValue condition = _known[select.Condition];
        LlvmValue usual = _known[select.WhenFalse];
        string before = Out.Block;
        string rare = Out.NewLabel();
        string after = Out.NewLabel();
        Out.Do($"br {AnyLane(condition)}, label %{rare}, label %{after}{LlvmMetadata.Rare}");
        Out.Begin(rare);
        var outside = new HashSet<object>([.. _known.Keys, .. _read.Keys], ReferenceEqualityComparer.Instance);
        LlvmValue chosen = Select(condition, EvaluateAlso(select.WhenTrue), usual);
        string last = Out.Block;
        ForgetOthers(_known, outside);
        ForgetOthers(_read, outside);
        Out.Branch(after);
        Out.Begin(after);
        string type = LlvmTypes.Register(select.Type);
        return Out.Add(select.Type, $"phi {type} [ {usual.Name}, %{before} ], [ {chosen.Name}, %{last} ]");
    }

    private static void ForgetOthers<T>(Dictionary<T, LlvmValue> values, HashSet<object> keep)
        where T : notnull
    {
        foreach (T inside in values.Keys.Where(k => !keep.Contains(k)).ToArray())
        {
            values.Remove(inside);
        }
    }

    private LlvmValue AnyLane(LlvmValue condition)
    {
        int lanes = condition.Type.Lanes;
        if (lanes == 1)
        {
            return condition;
        }
        if (target.Architecture != LlvmArchitecture.X64)
        {
            return Out.Add(Bool, $"call i1 @llvm.vector.reduce.or.v{lanes}i1({condition})");
        }
        LlvmValue bits = Out.Add(Bool, $"bitcast {condition} to i{lanes}");
        return Out.Add(Bool, $"icmp ne i{lanes} {bits.Name}, 0");
    }

    /// <summary>The same bits as another element type of the same width.</summary>
    protected LlvmValue Bitcast(LlvmValue value, DType to)
    {
        KType type = value.Type with { Element = to };
        string from = LlvmTypes.Register(value.Type);
        return from == LlvmTypes.Register(type) ? value with { Type = type }
            : Out.Add(type, $"bitcast {value} to {LlvmTypes.Register(type)}");
    }
}
