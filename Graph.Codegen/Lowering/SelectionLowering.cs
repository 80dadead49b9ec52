using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Lowers the first few elements of sorted lines: each line is one task that keeps the best so far in order, and looks at all
/// others once.
/// </summary>
/// <remarks>
/// <code>
/// kept = the first k, in order
/// for the others, several vectors at once:
///     if any lane beats the last of kept:            a comparison, seldom more: k ln(n / k) elements enter where order is random
///         for each of them that does: kept[j] = stays(kept[j]) ? kept[j] : stays(kept[j - 1]) ? the element : kept[j - 1]
/// results = the elements at the places kept
/// </code>
/// Elements are compared as integers of the same order in which larger is better. Of equal elements the earlier one stays before the
/// later, as in a stable sort.
/// </remarks>
internal sealed class SelectionLowering
{
    // What is passed over at one branch.
    private const int VectorsAtOnce = 4;

    private readonly SelectionForm _form;
    private readonly FusionSource _source;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly IndexVariable[] _at;
    private readonly KExpr _length;
    private readonly SortKey _key;
    private readonly ScalarExpr _element;
    private readonly KType _places;
    private readonly int _lanes;
    private readonly int _blocks;

    private SelectionLowering(SelectionForm form, Node fusion, KernelTarget target)
    {
        _form = form;
        _source = new FusionSource(fusion, new KernelArguments(), _ => false);
        _emitter = new ExprEmitter(_b, new ExprAnalysis(), _source.Source) { Target = target };
        Node key = form.Sort.Operands[form.Order.Key];
        _at = [.. key.Shape.Select((d, i) => _source.Factory.Variable($"i{i}", d))];
        _length = KBuilder.Value(Place.Extent);
        _key = new SortKey(key.DType, form.Order.Descending);
        _element = _source.Element(key, IndexVector.From(_at));
        _places = new KType(Place.Extent.Range.Max <= int.MaxValue ? DType.I32 : DType.I64);
        _lanes = target.VectorBits / (8 * Math.Max(_key.Type.SizeInBytes(), _places.Element.SizeInBytes()));
        KeptLanes = Math.Min(_lanes, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)form.Count));
        _blocks = (form.Count + KeptLanes - 1) / KeptLanes;
    }

    private IndexVariable Place => _at[_form.Dimension];

    // What is kept is moved so many at once.
    private int KeptLanes { get; }

    /// <summary>The kernel of a selection.</summary>
    public static LoweredKernel Lower(string name, Node node, KernelTarget target)
    {
        Computation body = ((CompositeOp)node.Op).Decomposition;
        SelectionForm form = SelectionForm.TryParse(body)
            ?? throw new CompilerBugException("selection lowering", $"{node} has not the form of a selection");
        Node fusion = new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
        return new SelectionLowering(form, fusion, target).Run(name, fusion).With(fusion, node);
    }

    private LoweredKernel Run(string name, Node fusion)
    {
        Shape shape = _form.Sort.Types[0].Shape;
        _emitter.BindRow([.. _at.Where((_, axis) => axis != _form.Dimension).Select(v => new LoopGroup(v))], _task);
        var kept = new Kept(
            _b.Scratch("keys", _key.Type, (_blocks * KeptLanes) + 1), _b.Scratch("places", _places.Element, (_blocks * KeptLanes) + 1));
        _b.Store(kept.Keys, 0, new KConstant(_key.Best, 1));
        _b.Store(kept.Places, 0, Constant(0));
        _b.For("j", 1, (_blocks * KeptLanes) + 1, KeptLanes, j =>
        {
            _b.Store(kept.Keys, j, new KConstant(_key.Worst, KeptLanes));
            _b.Store(kept.Places, j, KBuilder.Broadcast(Constant(0), KeptLanes));
        });
        _b.For("i", 0, _form.Count, 1, i => _emitter.InScope(() => Insert(kept, KeyAt(i, 1), i, count: i)));
        LookThroughOthers(kept);
        StoreResults(kept);
        Dim lines = shape.Without([_form.Dimension]).ElementCount;
        Dim bytes = fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        var kernel = new Kernel(
            name, _source.Arguments.Buffers, _task, KBuilder.Value(lines), _b.ToBlock(), new KernelCost(shape.ElementCount, bytes));
        return new LoweredKernel(kernel, _source.Arguments.Operands);
    }

    private void LookThroughOthers(Kept kept)
    {
        KRegister worst = _b.Declare("worst", WorstOf(kept));
        int several = VectorsAtOnce * _lanes;
        _b.For("i", _form.Count, _length, several, i => IfAnyBeats(worst, i, several, _length, end =>
            _b.For("i", i, end, _lanes, first => IfAnyBeats(worst, first, _lanes, end, last =>
                _b.For("i", first, last, 1, at => _emitter.InScope(() =>
                {
                    KExpr key = _b.Let("key", KeyAt(at, 1));
                    _b.If(KBuilder.Less(new KRead(worst), key), () =>
                    {
                        Insert(kept, key, at, count: null);
                        _b.Assign(worst, WorstOf(kept));
                    });
                }))))));
    }

    // Runs the body, told where the lanes end, unless none of them can enter. Where there are fewer, nobody looks first.
    private void IfAnyBeats(KRegister worst, KExpr first, int lanes, KExpr end, Action<KExpr> body)
    {
        KExpr last = _b.Let("end", KBuilder.Minimum(KBuilder.Add(first, lanes), end));
        KRegister isNear = _b.Declare("isNear", new KConstant(Scalar.FromBool(true), 1));
        _b.If(KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(first, lanes), end), () => _emitter.InScope(() =>
        {
            KExpr keys = KeyAt(first, lanes);
            _b.Assign(isNear, new KAny(KBuilder.Less(new KRead(worst), keys)));
        }));
        _b.If(new KRead(isNear), () => _emitter.InScope(() => body(last)));
    }

    private KExpr KeyAt(KExpr first, int lanes)
    {
        KExpr? key = null;
        _emitter.WithVector(Place, first, lanes, null, () => key = _key.Of(_b, _emitter.EmitLanes(_element)));
        return key!;
    }

    private KLoad WorstOf(Kept kept) => new(kept.Keys, _form.Count);

    // Puts an element behind all that are as good. Buffers begin with what is better than every element; of the others,
    // those from the count on are not there yet.
    private void Insert(Kept kept, KExpr key, KExpr place, KExpr? count)
    {
        key = _b.Let("key", key);
        KExpr number = _b.Let("place", _places.Element == DType.I64 ? place : new KConvert(place, _places.Element));
        KExpr present = count is null ? 0 : _b.Let("count", count);
        if (_blocks == 1)
        {
            Move(0);
            return;
        }
        KRegister block = _b.Declare("block", KBuilder.Multiply(_blocks - 1, KeptLanes));
        _b.While(KBuilder.Call(ScalarOp.LessOrEqual, 0, new KRead(block)), () => _emitter.InScope(() =>
        {
            KExpr first = _b.Let("first", new KRead(block));
            Move(first);
            // What stands before an element that stays, stays.
            KExpr isLast = KBuilder.Call(ScalarOp.LessOrEqual, key, new KLoad(kept.Keys, first));
            isLast = count is null ? isLast : KBuilder.Call(
                ScalarOp.And, isLast, KBuilder.Call(ScalarOp.LessOrEqual, first, present));
            _b.Assign(block, new KSelect(isLast, -1, KBuilder.Subtract(first, KeptLanes)));
        }));

        void Move(KExpr first)
        {
            KExpr second = KBuilder.Add(first, 1);
            KExpr before = _b.Let("before", new KLoad(kept.Keys, first, KeptLanes));
            KExpr here = _b.Let("here", new KLoad(kept.Keys, second, KeptLanes));
            KExpr placeBefore = _b.Let("before", new KLoad(kept.Places, first, KeptLanes));
            KExpr placeHere = _b.Let("here", new KLoad(kept.Places, second, KeptLanes));
            KExpr stays = KBuilder.Call(ScalarOp.LessOrEqual, key, here);
            KExpr staysBefore = KBuilder.Call(ScalarOp.LessOrEqual, key, before);
            if (count is not null)
            {
                var lanes = new KRamp(first, 1, KeptLanes);
                stays = KBuilder.Call(ScalarOp.And, stays, KBuilder.Less(lanes, present));
                staysBefore = KBuilder.Call(ScalarOp.And, staysBefore, KBuilder.Call(ScalarOp.LessOrEqual, lanes, present));
            }
            stays = _b.Let("stays", stays);
            staysBefore = _b.Let("stays", staysBefore);
            _b.Store(kept.Keys, second, Choose(key, here, before));
            _b.Store(kept.Places, second, Choose(number, placeHere, placeBefore));

            KSelect Choose(KExpr added, KExpr there, KExpr pushed) =>
                new(stays, there, new KSelect(staysBefore, KBuilder.Broadcast(added, KeptLanes), pushed));
        }
    }

    private void StoreResults(Kept kept) => _b.For("j", 0, _form.Count, 1, j => _emitter.InScope(() =>
    {
        KExpr place = new KLoad(kept.Places, KBuilder.Add(j, 1));
        _emitter.Bind(Place, _b.Let("place", _places.Element == DType.I64 ? place : new KConvert(place, DType.I64)));
        ScalarExpr to = _source.Factory.Placeholder(DType.I64);
        _emitter.Bind(to, j);
        IndexVector at = IndexVector.From(_at).With(_form.Dimension, to);
        for (int o = 0; o < _source.Outputs.Count; o++)
        {
            // Result o is that of some operand of the sort, in whatever order results are asked for.
            int operand = _source.Body.Results[o].Operands[0].Op is GetTupleElementOp element ? element.Index : 0;
            KExpr value = _emitter.Emit(_source.Element(_form.Sort.Operands[operand], IndexVector.From(_at)));
            _b.Store(_source.Outputs[o], _emitter.EmitPosition(AffineIndex.Of(at, _source.Body.Results[o].Type)), value);
        }
    }));

    private KConstant Constant(long place) => new(Scalar.FromInteger(_places.Element, place), 1);

    /// <summary>The best elements so far, from place 1 on.</summary>
    /// <param name="Keys">How they are compared.</param>
    /// <param name="Places">Where they lie along the line.</param>
    private sealed record Kept(KBuffer Keys, KBuffer Places);
}
