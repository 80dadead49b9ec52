using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Lowers sort: each line is one task that sorts the numbers 0..n-1 by bottom-up merging (stable, n log n, no recursion), then
/// brings the elements of all operands into that order.
/// </summary>
/// <remarks>
/// Where the order is that of an operand whose elements have at most 32 bits, those stand above the numbers in one integer, and
/// nothing else is compared: no element is looked up by its number before the end.
/// </remarks>
internal sealed class SortLowering
{
    // The lower half of an integer with a key.
    private const int NumberBits = 32;

    private readonly Node _node;
    private readonly SortOp _op;
    private readonly OperandSource _source;
    private readonly KBuilder _b;
    private readonly KBuffer _order;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly IndexVariable[] _at;
    private readonly KExpr _length;
    private readonly SortOrder? _keys;

    private SortLowering(Node node)
    {
        _node = node;
        _op = (SortOp)node.Op;
        _source = new OperandSource(node);
        _b = _source.B;
        Dim elements = node.Types[0].Shape.ElementCount;
        _order = _source.Arguments.Output("order", DType.I64, new KernelOperand.Workspace(elements * 2 * sizeof(long)));
        _at = [.. node.Types[0].Shape.Select((d, i) => _source.F.Variable($"i{i}", d))];
        Dim length = node.Types[0].Shape[_op.Dimension];
        _length = KBuilder.Value(length);
        _keys = SortOrder.TryOf(_op.Comparator) is { } order && node.Operands[order.Key].DType.SizeInBits() <= NumberBits &&
            length.Range.Max <= int.MaxValue
            ? order
            : null;
    }

    /// <summary>The kernel of a sort node.</summary>
    public static LoweredKernel Lower(string name, Node node) => new SortLowering(node).Run(name);

    private LoweredKernel Run(string name)
    {
        _source.Emitter.BindRow([.. _at.Where((_, axis) => axis != _op.Dimension).Select(v => new LoopGroup(v))], _task);
        KExpr first = _b.Let("line", KBuilder.Multiply(KBuilder.Multiply(_task, 2), _length));
        _b.For("i", 0, _length, 1, i => _source.Emitter.InScope(() => _b.Store(_order, KBuilder.Add(first, i), Entry(i))));
        KRegister from = _b.Declare("from", first);
        KRegister to = _b.Declare("to", KBuilder.Add(first, _length));
        KRegister width = _b.Declare("width", 1);
        _b.While(KBuilder.Less(new KRead(width), _length), () =>
        {
            EmitMergeRound(width, from, to);
            KExpr source = _b.Let("swap", new KRead(from));
            _b.Assign(from, new KRead(to));
            _b.Assign(to, source);
            _b.Assign(width, KBuilder.Multiply(new KRead(width), 2));
        });
        EmitGather(from);
        Dim lines = _node.Types[0].Shape.Without([_op.Dimension]).ElementCount;
        return _source.ToKernel(name, _task, KBuilder.Value(lines));
    }

    // Merges runs [start, middle) and [middle, end) of the numbers at 'from' into 'to', for all starts.
    private void EmitMergeRound(KRegister width, KRegister from, KRegister to)
    {
        KRegister start = _b.Declare("start", 0);
        _b.While(KBuilder.Less(new KRead(start), _length), () => _source.Emitter.InScope(() =>
        {
            KExpr begin = _b.Let("begin", new KRead(start));
            KExpr middle = _b.Let("middle", KBuilder.Minimum(KBuilder.Add(begin, new KRead(width)), _length));
            KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(middle, new KRead(width)), _length));
            KRegister left = _b.Declare("left", begin);
            KRegister right = _b.Declare("right", middle);
            _b.For("o", begin, end, 1, o => _source.Emitter.InScope(() => EmitStep(left, right, middle, end, from, to, o)));
            _b.Assign(start, end);
        }));
    }

    private void EmitStep(KRegister left, KRegister right, KExpr middle, KExpr end, KRegister from, KRegister to, KExpr o)
    {
        KRegister takeRight = _b.Declare("takeRight", KBuilder.Less(new KRead(right), end));
        KExpr both = KBuilder.Call(ScalarOp.And, new KRead(takeRight), KBuilder.Less(new KRead(left), middle));
        _b.If(both, () => _source.Emitter.InScope(() =>
        {
            KExpr l = Entry(new KRead(from), new KRead(left));
            KExpr r = Entry(new KRead(from), new KRead(right));
            // The left one goes first unless the right one must: stable.
            _b.Assign(takeRight, _keys is null ? Precedes(r, l) : KBuilder.Less(r, l));
        }));
        KExpr taken = _b.Let("taken", new KSelect(new KRead(takeRight), new KRead(right), new KRead(left)));
        _b.Store(_order, KBuilder.Add(new KRead(to), o), Entry(new KRead(from), taken));
        KExpr step = _b.Let("step", new KConvert(new KRead(takeRight), DType.I64));
        _b.Assign(right, KBuilder.Add(new KRead(right), step));
        _b.Assign(left, KBuilder.Add(new KRead(left), KBuilder.Subtract(1, step)));
    }

    private KExpr Entry(KExpr from, KExpr place) => _b.Let("number", new KLoad(_order, KBuilder.Add(from, place)));

    // A number with its key, of which the smallest stands first.
    private KExpr Entry(KExpr number)
    {
        if (_keys is null)
        {
            return number;
        }
        var key = new SortKey(_node.Operands[_keys.Key].DType, _keys.Descending);
        KExpr better = key.Of(_b, _source.Emitter.Emit(Element(_keys.Key, number)));
        KExpr first = new KConvert(KBuilder.Call(ScalarOp.Not, better), DType.I64);
        return KBuilder.Call(ScalarOp.Or, KBuilder.Call(ScalarOp.ShiftLeft, first, NumberBits), number);
    }

    private KExpr Precedes(KExpr left, KExpr right)
    {
        var arguments = new List<ScalarExpr>();
        for (int o = 0; o < _node.Operands.Length; o++)
        {
            arguments.Add(Element(o, left));
            arguments.Add(Element(o, right));
        }
        return _source.Emitter.Emit(_source.Apply(_op.Comparator, [.. arguments])[0]);
    }

    private ScalarExpr Element(int operand, KExpr number)
    {
        ScalarExpr place = _source.F.Placeholder(DType.I64);
        _source.Emitter.Bind(place, number);
        return _source.Operand(operand, IndexVector.From(_at).With(_op.Dimension, place));
    }

    private void EmitGather(KRegister from) => _b.For("i", 0, _length, 1, i => _source.Emitter.InScope(() =>
    {
        KExpr number = Entry(new KRead(from), i);
        number = _keys is null ? number : _b.Let("number", KBuilder.Call(ScalarOp.And, number, uint.MaxValue));
        KExpr[] values = [.. Enumerable.Range(0, _node.Operands.Length).Select(o => _source.Emitter.Emit(Element(o, number)))];
        ScalarExpr place = _source.F.Placeholder(DType.I64);
        _source.Emitter.Bind(place, i);
        for (int o = 0; o < values.Length; o++)
        {
            IndexVector at = IndexVector.From(_at).With(_op.Dimension, place);
            _b.Store(_source.Outputs[o], _source.Position(at, _node.Types[o]), values[o]);
        }
    }));
}
