namespace Graphene.Codegen;

/// <content>Expressions: each object is computed once for each statement.</content>
internal sealed partial class SimtCompiler
{
    private readonly Dictionary<KExpr, SimtSlot> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<SimtSlot, SimtSlot> _spread = [];
    private readonly Dictionary<(ulong Bits, KType Type, bool IsUniform), SimtSlot> _constants = [];
    private readonly List<SimtStep> _steps = [];

    /// <summary>The constants and where they lie.</summary>
    public IReadOnlyList<(SimtSlot Slot, ulong Bits)> Constants => [.. _constants.Select(c => (c.Value, c.Key.Bits))];

    private void BeginStatement()
    {
        _known.Clear();
        _spread.Clear();
        _arrays.TakeBack();
    }

    private void Add(SimtStep step) => _steps.Add(step);

    private SimtStep[] TakeSteps()
    {
        SimtStep[] steps = [.. _steps];
        _steps.Clear();
        return steps;
    }

    /// <summary>Computes a value.</summary>
    private SimtSlot Value(KExpr root)
    {
        KTraversal.PostOrder(root, _known.ContainsKey, Parts, e => _known.Add(e, Compute(e)));
        return _known[root];
    }

    /// <summary>Computes a value for each thread, even where it is the same for all.</summary>
    private SimtSlot ThreadValue(KExpr root)
    {
        SimtSlot slot = Value(root);
        return root is KConstant constant ? Constant(constant, isUniform: false) : Spread(slot);
    }

    private SimtSlot Spread(SimtSlot slot)
    {
        if (!slot.IsUniform)
        {
            return slot;
        }
        if (!_spread.TryGetValue(slot, out SimtSlot spread))
        {
            spread = Lend(slot.Type, isUniform: false);
            Add(SimtSteps.Spread(spread, slot));
            _spread.Add(slot, spread);
        }
        return spread;
    }

    private IReadOnlyList<KExpr> Parts(KExpr e) => _expansions.Of(e) is { } expansion ? [expansion]
        : e is KScale scale ? [scale.Product]
        : KTraversal.Operands(e);

    private SimtSlot Compute(KExpr e)
    {
        switch (e)
        {
            case KConstant constant:
                return Constant(constant, isUniform: true);
            case KVariable variable:
                return _variables[variable];
            case KRead read:
                return _registers[read.Register];
            case KSymbol symbol:
                SimtSlot value = Lend(KType.Index, isUniform: true);
                Add(new SymbolStep(value, symbol.Symbol));
                return value;
            case KCall call when VectorMath.Expands(call):
                return _known[_expansions.Of(call)!];
            case KScale scale:
                return _known[scale.Product];
            case KBitcast bitcast:
                return _known[bitcast.Value] with { Type = bitcast.Type };
            case KLoad load:
                return Load(load, load.Index, load.Buffer, load.Mask, load.Otherwise, load.Alignment);
            case KGather gather:
                return Load(gather, gather.Indices, gather.Buffer, gather.Mask, gather.Otherwise, 1);
            case KBroadcast x:
                return Lanes(x, [.. Enumerable.Repeat((_known[x.Value], 0), x.Lanes)]);
            case KShuffle x:
                return Lanes(x, [.. x.Lanes.Select(lane => (_known[x.Value], lane))]);
            case KJoin x:
                (SimtSlot low, SimtSlot high) = (_known[x.Low], _known[x.High]);
                (low, high) = low.IsUniform && high.IsUniform ? (low, high) : (Spread(low), Spread(high));
                return Lanes(x, [.. Each(low), .. Each(high)]);
            default:
                return Arithmetic(e);
        }
    }

    private SimtSlot Arithmetic(KExpr e)
    {
        IReadOnlyList<KExpr> parts = KTraversal.Operands(e);
        bool isUniform = parts.All(p => _known[p].IsUniform);
        SimtSlot[] x = [.. parts.Select(p => isUniform ? _known[p] : Operand(p))];
        SimtSlot result = Lend(e.Type, isUniform);
        switch (e)
        {
            case KCall { Op: ScalarOp.FusedMultiplyAdd } call when !_hasFma:
                Add(SimtArithmetic.Step(ScalarOp.Multiply, call.Type.Element, result, [x[0], x[1]]));
                Add(SimtArithmetic.Step(ScalarOp.Add, call.Type.Element, result, [result, x[2]]));
                break;
            case KCall call:
                Add(SimtArithmetic.Step(call.Op, call.Arguments[0].Type.Element, result, x));
                break;
            case KSelect:
                Add(SimtSteps.Select(result, x[0], x[1], x[2]));
                break;
            case KLookup lookup:
                Add(new LookupStep(result, x[0], lookup));
                break;
            case KConvert convert when convert.To == convert.Value.Type.Element:
                return x[0];
            case KConvert:
                Add(SimtConversion.Step(result, x[0]));
                break;
            case KRamp:
                Add(new RampStep(result, x[0], x[1]));
                break;
            case KAny:
                Add(new AnyStep(result, x[0]));
                break;
            case KDot:
                Add(new DotStep(result, x[0], x[1], x[2]));
                break;
            default:
                throw new CompilerBugException("Kernel IR interpreter", $"unknown expression {e.GetType().Name}");
        }
        return result;
    }

    private SimtSlot Load(KExpr e, KExpr index, KBuffer buffer, KExpr? mask, KExpr? otherwise, int alignment)
    {
        KExpr[] parts = [.. KTraversal.Operands(e)];
        bool isUniform = buffer.Space != KBufferSpace.Scratch && parts.All(p => _known[p].IsUniform);
        SimtSlot Of(KExpr p) => isUniform ? _known[p] : Operand(p);
        SimtSlot at = Of(index);
        SimtSlot? flags = mask is null ? null : Of(mask);
        SimtSlot? others = otherwise is null ? null : Of(otherwise);
        SimtSlot result = Lend(e.Type, isUniform);
        Add(SimtSteps.Load(result, Number(buffer), at, flags, others, alignment));
        return result;
    }

    // An operand of what is computed for each thread.
    private SimtSlot Operand(KExpr e) => e is KConstant constant ? Constant(constant, isUniform: false) : Spread(_known[e]);

    private SimtSlot Lanes(KExpr e, (SimtSlot, int)[] sources)
    {
        SimtSlot result = Lend(e.Type, sources[0].Item1.IsUniform);
        Add(SimtSteps.Lanes(result, sources));
        return result;
    }

    private static IEnumerable<(SimtSlot, int)> Each(SimtSlot slot) => Enumerable.Range(0, slot.Type.Lanes).Select(i => (slot, i));

    // A value that outlives its statement. Registers change, and so does what is lent.
    private SimtSlot Keep(SimtSlot slot)
    {
        if (_arrays.Keep(slot.Array) || _variables.ContainsValue(slot) || _constants.ContainsValue(slot))
        {
            return slot;
        }
        SimtSlot copy = Allocate(slot.Type, slot.IsUniform);
        Add(SimtSteps.Lanes(copy, [.. Each(slot)]));
        return copy;
    }

    private SimtSlot Constant(KConstant constant, bool isUniform)
    {
        (ulong, KType, bool) key = (constant.Value.Bits, constant.Type, isUniform);
        if (!_constants.TryGetValue(key, out SimtSlot slot))
        {
            slot = Allocate(constant.Type, isUniform);
            _constants.Add(key, slot);
        }
        return slot;
    }

    private SimtSlot Allocate(KType type, bool isUniform) => new(_arrays.Take(Bytes(type, isUniform)), 0, type, isUniform);

    private SimtSlot Lend(KType type, bool isUniform) => new(_arrays.Lend(Bytes(type, isUniform)), 0, type, isUniform);

    private int Bytes(KType type, bool isUniform) => type.Lanes * type.Element.SizeInBytes() * (isUniform ? 1 : _threads);
}
