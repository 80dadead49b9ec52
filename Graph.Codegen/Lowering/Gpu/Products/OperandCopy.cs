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
/// What does not change with k is computed before the loop: the place of a row, and whether it exists. Bytes whose lines must change
/// direction go as squares of 4 by 4: a thread reads 4 bytes of 4 lines and writes 4 bytes of 4 others.
/// </remarks>
internal sealed class OperandCopy
{
    private readonly ProductContext _context;
    private readonly KBuilder _b;
    private readonly ProductOperand _operand;
    private readonly ProductAxis _axis;
    private readonly SharedTile _shared;
    private readonly CopyForm _form;
    private readonly int _height;
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
        if (operand is { IsLinear: true, Index: { } index })
        {
            _base = _b.Let("base", context.Emitter.EmitPosition(index));
        }
        int length = form.IsTileAlongDepth ? shared.Lines : shared.Length;
        _height = form.Height(operand.Element.DType.SizeInBytes());
        int lines = (form.IsAlongDepth ? length : context.Tile.Depth) / _height;
        int pieces = (form.IsAlongDepth ? context.Tile.Depth : length) / form.Width;
        int count = lines * pieces;
        int threads = context.Tile.Threads;
        for (int j = 0; j * threads < count; j++)
        {
            KExpr unit = KBuilder.Add(context.Thread, j * threads);
            bool isSamePiece = j > 0 && threads % pieces == 0;
            KExpr line = _b.Let("line", KBuilder.Multiply(KBuilder.Divide(unit, pieces), _height));
            KExpr at = isSamePiece ? _units[0].At : _b.Let("at", KBuilder.Multiply(KBuilder.Remainder(unit, pieces), form.Width));
            KExpr? isThere = (j + 1) * threads <= count ? null : _b.Let("is_unit", KBuilder.Less(unit, count));
            KExpr number = _b.Let("number", KBuilder.Add(first, form.IsAlongDepth ? line : at));
            bool isSameNumber = isSamePiece && !form.IsAlongDepth;
            _units.Add(new Unit(
                line, at, number,
                isSameNumber ? _units[0].Offset : operand.IsLinear ? axis.Offset(_b, number, operand.Index!) : 0,
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
        var terms = new Dictionary<KExpr, Term>(ReferenceEqualityComparer.Instance);
        var stores = new List<Action>();
        foreach (Unit unit in _units)
        {
            KExpr own = _form.IsAlongDepth ? unit.At : unit.Line;
            if (!terms.TryGetValue(own, out Term? term))
            {
                terms.Add(own, term = TermOf(_b.Let("k", KBuilder.Add(depth, own)), end));
            }
            if (_form.IsAsync)
            {
                var copy = new KAsyncCopy(
                    _shared.Buffer, KBuilder.Add(to, unit.Place), _operand.Buffer!, From(unit, term), _form.Width, Exists(unit, term));
                // A thread without a unit writes nothing, not even zeros.
                Guarded(unit.IsThere, () => _b.Add(copy));
                continue;
            }
            var values = new KExpr[_height];
            for (int i = 0; i < _height; i++)
            {
                Term line = i == 0 ? term : TermOf(_b.Let("k", KBuilder.Add(term.K, i)), end);
                values[i] = Read(unit, line);
            }
            stores.Add(() => Guarded(unit.IsThere, () => Write(unit, to, values)));
        }
        return () => stores.ForEach(store => store());
    }

    private Term TermOf(KExpr k, KExpr end) => new(
        k, _operand.IsLinear ? _b.Let("from", KBuilder.Add(_base, _context.Product.Depth.Offset(_b, k, _operand.Index!))) : 0,
        _b.Let("in_depth", KBuilder.Less(k, end)));

    private KExpr From(Unit unit, Term term) => _operand.IsLinear
        ? KBuilder.Add(term.From, unit.Offset)
        : At(unit, term.K, () => _b.Let("from", _context.Emitter.EmitPosition(_operand.Index!)));

    private KExpr Exists(Unit unit, Term term)
    {
        KExpr exists = ProductContext.Both(unit.Exists, term.Exists)!;
        return _operand is { Index: not null, Inside: { } inside }
            ? _b.Let("inside", KBuilder.Call(ScalarOp.And, exists, At(unit, term.K, () => _context.Emitter.Emit(inside))))
            : exists;
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

    private KRead Read(Unit unit, Term term)
    {
        KRegister value = _b.Declare("value", new KConstant(Scalar.Zero(_operand.Element.DType), _form.Width));
        _b.If(Exists(unit, term), () => _b.Assign(value, _operand.Buffer is { } buffer
            ? new KLoad(buffer, From(unit, term), _form.Width, Alignment: _form.Width)
            : At(unit, term.K, () => _context.Emitter.Emit(_operand.Element))));
        return new KRead(value);
    }

    // What is emitted with the counters of a unit and of k.
    private KExpr At(Unit unit, KExpr k, Func<KExpr> emit)
    {
        KExpr? value = null;
        ExprEmitter emitter = _context.Emitter;
        emitter.InScope(() =>
        {
            _axis.Bind(emitter, unit.Number);
            _context.Product.Depth.Bind(emitter, k);
            value = emit();
        });
        return value!;
    }

    private void Write(Unit unit, KExpr to, KExpr[] values)
    {
        if (!_form.IsTurned)
        {
            _b.Add(new KStore(_shared.Buffer, KBuilder.Add(to, unit.Place), values[0], Alignment: _form.Width));
            return;
        }
        for (int i = 0; i < _form.Width; i++)
        {
            KExpr[] column = [.. values.Select(v => _form.Width == 1 ? v : new KShuffle(v, new[] { i }.ToValueList()))];
            KExpr turned = _height == 1 ? column[0] : new KJoin(new KJoin(column[0], column[1]), new KJoin(column[2], column[3]));
            _b.Add(new KStore(
                _shared.Buffer, KBuilder.Add(to, _shared.Place(KBuilder.Add(unit.At, i), unit.Line)), turned, Alignment: _height));
        }
    }

    // What a thread copies: which row or column it belongs to, and its place in the tile.
    private sealed record Unit(KExpr Line, KExpr At, KExpr Number, KExpr Offset, KExpr? Exists, KExpr? IsThere, KExpr Place);

    // What all units of one k have in common.
    private sealed record Term(KExpr K, KExpr From, KExpr Exists);
}
