namespace Graphene.Codegen;

/// <summary>
/// Brings the tiles of one operand from memory into the ring, zeros where it has no elements: past the registers where memory allows,
/// else through them.
/// </summary>
/// <remarks>
/// <code>
/// unit = (line of the tile, piece of the line), shared out among the threads so that neighbours read neighbours
///   async:              ring[unit] &lt;- memory[unit]                       16, 8 or 4 bytes each
///   through registers:  v[unit] = memory[unit] or any expression;  ... products of another tile ...;  ring[unit] = v[unit]
/// </code>
/// What does not change with k is computed before the loop: the place of a row, and whether it exists.
/// </remarks>
internal sealed class OperandCopy
{
    private readonly ProductContext _context;
    private readonly KBuilder _b;
    private readonly ProductOperand _operand;
    private readonly ProductAxis _axis;
    private readonly SharedTile _shared;
    private readonly CopyForm _form;
    private readonly List<Unit> _units = [];
    private KExpr _base = 0;

    /// <summary>Prepares copies, before the loop.</summary>
    /// <param name="context">The kernel.</param>
    /// <param name="operand">What is copied.</param>
    /// <param name="axis">Its rows or columns.</param>
    /// <param name="first">The first of them in the tile.</param>
    /// <param name="shared">Where it goes.</param>
    /// <param name="form">How.</param>
    public OperandCopy(
        ProductContext context, ProductOperand operand, ProductAxis axis, KExpr first, SharedTile shared, CopyForm form)
    {
        (_context, _b, _operand, _axis, _shared, _form) = (context, context.B, operand, axis, shared, form);
        if (operand.Index is { } index)
        {
            _base = _b.Let("base", context.Emitter.EmitPosition(index));
        }
        int length = form.IsTileAlongDepth ? shared.Lines : shared.Length;
        int lines = form.IsAlongDepth ? length : context.Tile.Depth;
        int pieces = (form.IsAlongDepth ? context.Tile.Depth : length) / form.Width;
        int count = lines * pieces;
        int threads = context.Tile.Threads;
        for (int j = 0; j * threads < count; j++)
        {
            KExpr unit = KBuilder.Add(context.Thread, j * threads);
            bool isSamePiece = j > 0 && threads % pieces == 0;
            KExpr line = _b.Let("line", KBuilder.Divide(unit, pieces));
            KExpr at = isSamePiece ? _units[0].At : _b.Let("at", KBuilder.Multiply(KBuilder.Remainder(unit, pieces), form.Width));
            KExpr? isThere = (j + 1) * threads <= count ? null : _b.Let("is_unit", KBuilder.Less(unit, count));
            KExpr number = _b.Let("number", KBuilder.Add(first, form.IsAlongDepth ? line : at));
            bool isSameNumber = isSamePiece && !form.IsAlongDepth;
            _units.Add(new Unit(
                line, at, number,
                isSameNumber ? _units[0].Offset : operand.Index is { } i ? axis.Offset(_b, number, i) : 0,
                ProductContext.Both(isThere, isSameNumber ? _units[0].Exists : context.Below(number, axis.Count, length)), isThere,
                form.IsTurned ? 0 : _b.Let("place", shared.Place(line, at))));
        }
    }

    /// <summary>Begins to copy a tile.</summary>
    /// <param name="depth">Its first k.</param>
    /// <param name="end">From where on there are no k.</param>
    /// <param name="place">The place in the ring.</param>
    /// <returns>What ends it, to be written when the place is free and before the barrier behind which it is read.</returns>
    public Action Begin(KExpr depth, KExpr end, KExpr place)
    {
        KExpr to = _b.Let("to", _shared.Base(place));
        var known = new Dictionary<KExpr, (KExpr K, KExpr Offset, KExpr Exists)>(ReferenceEqualityComparer.Instance);
        var stores = new List<Action>();
        foreach (Unit unit in _units)
        {
            KExpr own = _form.IsAlongDepth ? unit.At : unit.Line;
            if (!known.TryGetValue(own, out (KExpr K, KExpr Offset, KExpr Exists) term))
            {
                KExpr k = _b.Let("k", KBuilder.Add(depth, own));
                term = (
                    k, _operand.Index is { } index ? _b.Let("from", KBuilder.Add(_base, _context.Product.Depth.Offset(_b, k, index))) : 0,
                    _b.Let("in_depth", KBuilder.Less(k, end)));
                known.Add(own, term);
            }
            KExpr condition = ProductContext.Both(unit.Exists, term.Exists)!;
            if (_form.IsAsync)
            {
                var copy = new KAsyncCopy(
                    _shared.Buffer, KBuilder.Add(to, unit.Place), _operand.Buffer!, KBuilder.Add(term.Offset, unit.Offset),
                    _form.Width, condition);
                // A thread without a unit writes nothing, not even zeros.
                if (unit.IsThere is { } isThere)
                {
                    _b.If(isThere, () => _b.Add(copy));
                }
                else
                {
                    _b.Add(copy);
                }
            }
            else
            {
                KExpr value = Read(unit, term.K, term.Offset, condition);
                stores.Add(() => Guarded(unit.IsThere, () => Write(unit, to, value)));
            }
        }
        return () => stores.ForEach(store => store());
    }

    private void Guarded(KExpr? condition, Action action)
    {
        if (condition is null)
        {
            action();
        }
        else
        {
            _b.If(condition, action);
        }
    }

    private KRead Read(Unit unit, KExpr k, KExpr from, KExpr condition)
    {
        DType type = _operand.Element.DType;
        KRegister value = _b.Declare("value", new KConstant(Scalar.Zero(type), _form.Width));
        _b.If(condition, () => _b.Assign(value, _operand.Buffer is { } buffer
            ? new KLoad(buffer, KBuilder.Add(from, unit.Offset), _form.Width, Alignment: _form.Width)
            : Compute(unit, k)));
        return new KRead(value);
    }

    private KExpr Compute(Unit unit, KExpr k)
    {
        KExpr? value = null;
        ExprEmitter emitter = _context.Emitter;
        emitter.InScope(() =>
        {
            _axis.Bind(emitter, unit.Number);
            _context.Product.Depth.Bind(emitter, k);
            value = emitter.Emit(_operand.Element);
        });
        return value!;
    }

    private void Write(Unit unit, KExpr to, KExpr value)
    {
        if (!_form.IsTurned)
        {
            _b.Add(new KStore(
                _shared.Buffer, KBuilder.Add(to, unit.Place), value, Alignment: _form.Width));
            return;
        }
        for (int i = 0; i < _form.Width; i++)
        {
            KExpr element = _form.Width == 1 ? value : new KShuffle(value, new[] { i }.ToValueList());
            _b.Store(_shared.Buffer, KBuilder.Add(to, _shared.Place(KBuilder.Add(unit.At, i), unit.Line)), element);
        }
    }

    // What a thread copies: which row or column it belongs to, and its place in the tile.
    private sealed record Unit(KExpr Line, KExpr At, KExpr Number, KExpr Offset, KExpr? Exists, KExpr? IsThere, KExpr Place);
}
