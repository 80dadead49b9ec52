using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Lowers reductions of all elements up to each one: lines are walked once, in order.</summary>
/// <remarks>
/// <code>
/// along memory:   task = a few lines, which are walked side by side, as one element waits for the one before it
///     for i along the lines:   total[line] += x[line, i];  y[line, i] = total[line]
///
/// across memory:  task = a block of columns
///     for i along the lines:   y[i, columns] = y[i - 1, columns] + x[i, columns]     in vector lanes
/// </code>
/// Elements are combined one after the other, from the initial value on, in both. f16 and bf16 are accumulated in f32, and each result
/// is rounded once; the totals of columns then lie beside the results.
/// </remarks>
internal sealed class RunningReductionLowering
{
    // As many as hide the latency of an addition.
    private const int LinesAtOnce = 4;

    // Vectors that are read, combined and stored together.
    private const int VectorsAtOnce = 4;

    // A row of these is still in the first cache when the next one asks for it.
    private const int ColumnsPerTask = 2048;

    private readonly RunningForm _form;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly FusionSource _source;
    private readonly IndexVariable[] _at;
    private readonly AffineIndex _from;
    private readonly AffineIndex _to;
    private readonly KBuffer _input;
    private readonly ScalarOp _op;
    private readonly DType _wide;
    private readonly int _lanes;
    private readonly KVariable _task = new("task", KType.Index);

    private RunningReductionLowering(RunningForm form, Node fusion, KernelTarget target)
    {
        _form = form;
        _source = new FusionSource(fusion, new KernelArguments(), _ => false);
        var analysis = new ExprAnalysis();
        _emitter = new ExprEmitter(_b, analysis, _source.Source) { Target = target };
        Node x = form.Window.Operands[0];
        _at = [.. x.Shape.Select((d, i) => _source.Factory.Variable($"i{i}", d))];
        var element = (LoadExpr)_source.Element(x, IndexVector.From(_at));
        _input = _source.Source(element.Source);
        _from = AffineIndex.Of(element);
        _to = AffineIndex.Of(IndexVector.From(_at), form.Window.Type);
        _op = form.Function.Name switch
        {
            "add" => ScalarOp.Add,
            "multiply" => ScalarOp.Multiply,
            "maximum" => ScalarOp.Maximum,
            "minimum" => ScalarOp.Minimum,
            "and" => ScalarOp.And,
            _ => ScalarOp.Or,
        };
        _wide = x.DType is DType.F16 or DType.BF16 ? DType.F32 : x.DType;
        _lanes = target.VectorBits / (8 * _wide.SizeInBytes());
        var merging = new LoopMerging(analysis, [element], [_to]);
        List<LoopGroup> trailing = merging.Merge(_at[(form.Dimension + 1)..]);
        Columns = trailing.FindLast(g => g.Extent != 1 && _to[g.Last] == 1);
        Rows = [.. merging.Merge(_at[..form.Dimension]), .. trailing.Where(g => !ReferenceEquals(g, Columns))];
    }

    private IndexVariable Along => _at[_form.Dimension];

    // The loop in vector lanes, when lines do not lie along memory themselves.
    private LoopGroup? Columns { get; }

    private IReadOnlyList<LoopGroup> Rows { get; }

    private DType Type => _form.Window.DType;

    private KConstant Initial(int lanes) => new(
        _wide == Type ? _form.Initial : Scalar.FromDouble(_wide, _form.Initial.AsDouble), lanes);

    private Dim RowCount => Rows.Aggregate((Dim)1, (n, g) => n * g.Extent);

    /// <summary>The kernel of a running reduction.</summary>
    public static LoweredKernel Lower(string name, Node node, KernelTarget target)
    {
        Computation body = ((CompositeOp)node.Op).Decomposition;
        RunningForm form = RunningForm.TryParse(body)
            ?? throw new CompilerBugException("running reduction lowering", $"{node} has not the form of a running reduction");
        Node fusion = new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
        return new RunningReductionLowering(form, fusion, target).Run(name).With(fusion, node);
    }

    private LoweredKernel Run(string name)
    {
        KExpr tasks = Columns is null ? EmitAlongMemory() : EmitAcrossMemory(Columns);
        Dim elements = _form.Window.Shape.ElementCount;
        var cost = new KernelCost(elements, elements * 2 * _form.Window.DType.SizeInBytes());
        return new LoweredKernel(
            new Kernel(name, _source.Arguments.Buffers, _task, tasks, _b.ToBlock(), cost), _source.Arguments.Operands);
    }

    private KExpr EmitAlongMemory()
    {
        KExpr rows = KBuilder.Value(RowCount);
        int together = RowCount is { IsStatic: true, Value: < LinesAtOnce and var few } ? (int)Math.Max(1, few) : LinesAtOnce;
        KExpr first = _b.Let("first", KBuilder.Multiply(_task, together));
        if (RowCount.IsStatic && RowCount.Value % together == 0)
        {
            EmitLines(first, together);
        }
        else
        {
            _b.If(
                KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(first, together), rows),
                () => EmitLines(first, together),
                () => _b.For("row", first, rows, 1, row => EmitLines(row, 1)));
        }
        return KBuilder.CeilDiv(rows, together);
    }

    private void EmitLines(KExpr first, int count)
    {
        (KExpr From, KExpr To)[] starts = [.. Enumerable.Range(0, count).Select(i => StartOf(KBuilder.Add(first, i)))];
        KRegister[] totals = [.. starts.Select(_ => _b.Declare("total", Initial(1)))];
        _b.For("i", 0, KBuilder.Value(Along.Extent), 1, step =>
        {
            KExpr i = PlaceOf(step);
            KExpr[] elements = [.. starts.Select(s => _b.Let("x", new KLoad(_input, Further(s.From, _from, i))))];
            for (int line = 0; line < count; line++)
            {
                KExpr before = new KRead(totals[line]);
                KExpr total = _b.Let("total", Combine(before, elements[line]));
                _b.Store(_source.Outputs[0], Further(starts[line].To, _to, i), As(Type, _form.IsExclusive ? before : total));
                _b.Assign(totals[line], total);
            }
        });
    }

    private KExpr EmitAcrossMemory(LoopGroup columns)
    {
        KExpr width = KBuilder.Value(columns.Extent);
        KExpr blocks = KBuilder.CeilDiv(width, ColumnsPerTask);
        KExpr row = _b.Let("row", KBuilder.Divide(_task, blocks));
        KExpr begin = _b.Let("begin", KBuilder.Multiply(KBuilder.Remainder(_task, blocks), ColumnsPerTask));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, ColumnsPerTask), width));
        _emitter.BindGroup(columns, 0);
        (KExpr from, KExpr to) = StartOf(row);
        KBuffer? totals = _wide == Type ? null : _b.Scratch("totals", _wide, ColumnsPerTask);
        KExpr length = KBuilder.Value(Along.Extent);
        _b.If(KBuilder.Less(0, length), () => EmitRow(null, PlaceOf(0)));
        _b.For("i", 1, length, 1, step => EmitRow(PlaceOf(KBuilder.Subtract(step, 1)), PlaceOf(step)));
        return KBuilder.Multiply(KBuilder.Value(RowCount), blocks);

        void EmitRow(KExpr? before, KExpr i)
        {
            int several = VectorsAtOnce * _lanes;
            KExpr whole = _b.Let("whole", KBuilder.Add(
                begin, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, begin), several), several)));
            _b.For("c", begin, whole, several, c => EmitColumns(before, i, c, several, null));
            _b.ForVectors(whole, end, _lanes, (c, mask) => EmitColumns(before, i, c, _lanes, mask));
        }

        void EmitColumns(KExpr? before, KExpr i, KExpr column, int lanes, KExpr? mask)
        {
            KExpr total = before is null ? Initial(lanes)
                : totals is not null ? new KLoad(totals, KBuilder.Subtract(column, begin), lanes, mask)
                : new KLoad(_source.Outputs[0], At(to, _to, before, column), lanes, mask);
            if ((_form.IsExclusive ? before : i) is { } place)
            {
                KExpr first = At(from, _from, place, column);
                KExpr next = _from[columns.Last] == 1
                    ? new KLoad(_input, first, lanes, mask)
                    : new KGather(_input, new KRamp(first, KBuilder.Value(_from[columns.Last]), lanes), mask);
                total = Combine(total, next);
            }
            if (totals is not null)
            {
                total = _b.Let("total", total);
                _b.Store(totals, KBuilder.Subtract(column, begin), total, mask);
            }
            _b.Store(_source.Outputs[0], At(to, _to, i, column), As(Type, total), mask);
        }

        KExpr At(KExpr start, AffineIndex index, KExpr i, KExpr column) =>
            KBuilder.Add(Further(start, index, i), KBuilder.Multiply(column, KBuilder.Value(index[columns.Last])));
    }

    private KExpr Combine(KExpr total, KExpr element) => ExprEmitter.EmitCall(_op, [total, As(_wide, element)]);

    private static KExpr As(DType type, KExpr value) => value.Type.Element == type ? value : new KConvert(value, type);

    // Where a line begins in the operand and in the result.
    private (KExpr From, KExpr To) StartOf(KExpr row)
    {
        KExpr from = 0;
        KExpr to = 0;
        _emitter.InScope(() =>
        {
            _emitter.Bind(Along, 0);
            _emitter.BindRow(Rows, row);
            from = _b.Let("from", _emitter.EmitPosition(_from));
            to = _b.Let("to", _emitter.EmitPosition(_to));
        });
        return (from, to);
    }

    private KExpr PlaceOf(KExpr step) => _form.IsReverse
        ? _b.Let("i", KBuilder.Subtract(KBuilder.Subtract(KBuilder.Value(Along.Extent), 1), step))
        : step;

    private KExpr Further(KExpr start, AffineIndex index, KExpr i) =>
        KBuilder.Add(start, KBuilder.Multiply(i, KBuilder.Value(index[Along])));
}
