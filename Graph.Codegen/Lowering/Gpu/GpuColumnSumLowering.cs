namespace Graphene.Codegen;

/// <summary>
/// Lowers reductions of the rows of a matrix with too few columns for all threads, and the elements
/// that are stored besides.
/// </summary>
/// <remarks>
/// <code>
/// kernel 1, a thread for V columns of a block of 128 rows:     kernel 2, a thread for a column:
///   for row of the block                                         total = sum over blocks of sums[block][column], in order
///     sum += element(row, columns)                               result = f(initial + total)
///     elements that are results are stored
///   sums[block][columns] = sum
/// </code>
/// Bound: memory, each operand once; the sums are 1/128 of it. Neighbouring threads have neighbouring columns, and where a matrix has fewer
/// columns than a warp has threads, the next block of rows. Sixteen rows are on their way together. Blocks of 128 terms that join in
/// order are what the processor adds up, so the bits are its bits.
/// </remarks>
internal sealed class GpuColumnSumLowering
{
    private const int Threads = 128;
    private const int RowsAtOnce = 16;
    private const int BlocksAtOnce = 16;

    private readonly GpuTarget _gpu;
    private readonly FusionSource _source;
    private readonly KBuilder _b = new() { Multiples = new KIndexMultiples() };
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KVariable _thread = new("thread", KType.Index);
    private readonly ColumnSumForm? _read;

    private GpuColumnSumLowering(Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        _gpu = target.Gpu!;
        _source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        _emitter = new ExprEmitter(_b, _analysis, _source.Source) { Target = target };
        _read = ColumnSumForm.TryRead(_source, _analysis, IsSplit);
    }

    private ColumnSumForm Form => _read!;

    private Dim Columns => Form.Columns.Extent;

    /// <summary>The two kernels, or null when the fusion needs another schedule.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        // Each kernel has arguments, and so expressions, of its own.
        var blocks = new GpuColumnSumLowering(fusion, target, isOverwritten, lookups);
        if (blocks._read is null || !blocks.Pays())
        {
            return null;
        }
        var join = new GpuColumnSumLowering(fusion, target, isOverwritten, lookups);
        var workspace = new KernelOperand.Workspace(
            blocks.Form.Blocks * blocks.Form.Sums.Count * blocks.Columns * blocks.Form.SumType.SizeInBytes());
        return [blocks.SumBlocks(name + "_blocks", fusion, workspace), join.Join(name, workspace)];
    }

    // Blocks of rows may be reduced apart where the processor does so, and where no order shows.
    private static bool IsSplit(ReductionFunction function) =>
        !function.Identity.DType.IsFloating() || function.Op is ScalarOp.Add or ScalarOp.Maximum or ScalarOp.Minimum;

    // With elements to store there is no other schedule; without, threads that have columns enough need no second kernel.
    private bool Pays()
    {
        bool isTall = !Form.Rows.Extent.IsStatic || Form.Rows.Extent.Value > ExprEmitter.BlockLength;
        bool isWide = Columns.IsStatic && Columns.Value >= _gpu.Multiprocessors * 1024L;
        return Columns.IsStatic && (Form.Elements.Count > 0 || (isTall && !isWide));
    }

    private LoweredKernel SumBlocks(string name, Node fusion, KernelOperand.Workspace workspace)
    {
        KBuffer partial = _source.Arguments.Output("sums", Form.SumType, workspace);
        int lanes = Lanes();
        long vectors = Columns.Value / lanes;
        Dim all = Form.Blocks * vectors;
        KExpr q = _b.Let("vector", KBuilder.Add(KBuilder.Multiply(_task, Threads), _thread));
        _b.If(KBuilder.Less(q, KBuilder.Value(all)), () =>
        {
            KExpr block = _b.Let("block", KBuilder.Divide(q, vectors));
            KExpr column = _b.Let("column", KBuilder.Multiply(KBuilder.Remainder(q, vectors), lanes));
            KExpr row = _b.Let("row0", KBuilder.Multiply(block, ExprEmitter.BlockLength));
            KExpr end = Dim.TryDivideExact(Form.Rows.Extent, ExprEmitter.BlockLength, out _)
                ? KBuilder.Add(row, ExprEmitter.BlockLength)
                : KBuilder.Minimum(KBuilder.Add(row, ExprEmitter.BlockLength), KBuilder.Value(Form.Rows.Extent));
            OnColumns(column, lanes, () => SumBlock(partial, block, row, _b.Let("row1", end), column, lanes));
        });
        int ops = ExprAnalysis.All(Form.PerElement).OfType<CallExpr>().Count();
        Dim bytes = fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        return ToKernel(
            name, KBuilder.CeilDiv(KBuilder.Value(all), Threads), new KernelCost(Form.Rows.Extent * Columns * ops, bytes));
    }

    private void SumBlock(KBuffer partial, KExpr block, KExpr row, KExpr end, KExpr column, int lanes)
    {
        KRegister[] sums = [.. Form.Sums.Select(s => _b.Declare("sum", new KConstant(s.Function.Identity, lanes)))];
        _emitter.Hoist(Form.PerElement, Form.RowVariables);
        _b.For("r", row, end, 1, r => _emitter.InScope(() =>
        {
            Form.BindRow(_emitter, r);
            KExpr[] values = [.. Form.Elements.Select(e => _emitter.EmitLanes(e.Element))];
            for (int i = 0; i < sums.Length; i++)
            {
                ReductionFunction function = Form.Sums[i].Function;
                _b.Assign(sums[i], KBuilder.Call(
                    function.Op, new KRead(sums[i]), function.Widen(_emitter.EmitLanes(Form.Sums[i].Element))));
            }
            for (int i = 0; i < values.Length; i++)
            {
                _emitter.Store(Form.Elements[i].Output, Form.Elements[i].Store, values[i]);
            }
        }), unroll: RowsAtOnce);
        for (int i = 0; i < sums.Length; i++)
        {
            _b.Add(new KStore(partial, Place(block, i, column), new KRead(sums[i]), Alignment: lanes));
        }
    }

    private LoweredKernel Join(string name, KernelOperand.Workspace workspace)
    {
        KBuffer partial = _source.Arguments.Input("sums", Form.SumType, workspace);
        KExpr column = _b.Let("column", KBuilder.Add(KBuilder.Multiply(_task, Threads), _thread));
        _b.If(KBuilder.Less(column, KBuilder.Value(Columns)), () => OnColumns(column, 1, () =>
        {
            KExpr blocks = _b.Let("blocks", KBuilder.Value(Form.Blocks));
            for (int i = 0; i < Form.Sums.Count; i++)
            {
                (LoopResultExpr result, _, ReductionFunction function) = Form.Sums[i];
                int number = i;
                KRegister total = _b.Declare("total", new KConstant(function.Identity, 1));
                _b.For("block", 0, blocks, 1, block => _b.Assign(total, KBuilder.Call(
                    function.Op, new KRead(total), new KLoad(partial, Place(block, number, column)))), unroll: BlocksAtOnce);
                _emitter.Bind(result, _b.Let("result", ExprEmitter.EmitCall(
                    function.Op, [_emitter.Emit(result.Loop.Initial[0]), function.Round(new KRead(total))])));
            }
            KExpr[] values = [.. Form.Roots.Select(r => _emitter.EmitLanes(r.Element))];
            for (int i = 0; i < values.Length; i++)
            {
                _emitter.Store(Form.Roots[i].Output, Form.Roots[i].Store, values[i]);
            }
        }));
        var cost = new KernelCost(Form.Blocks * Columns * Form.Sums.Count, workspace.SizeInBytes);
        return ToKernel(name, KBuilder.CeilDiv(KBuilder.Value(Columns), Threads), cost);
    }

    // As wide as alignment allows, while that leaves threads enough.
    private int Lanes()
    {
        (AffineIndex, int)[] accesses =
        [
            .. ExprAnalysis.All(Form.PerElement).OfType<LoadExpr>().Select(l => (AffineIndex.Of(l), l.DType.SizeInBytes())),
            .. Form.Elements.Select(e => (e.Store, e.Output.Element.SizeInBytes())),
        ];
        int lanes = ThreadVectors.Lanes(_analysis, Form.Columns, accesses, n => Columns.Value % n == 0);
        Dim all = Form.Blocks * Columns;
        while (lanes > 1 && all.IsStatic && all.Value / lanes < _gpu.Multiprocessors * 512L)
        {
            lanes /= 2;
        }
        return lanes;
    }

    private void OnColumns(KExpr first, int lanes, Action action) => _emitter.InScope(() =>
    {
        foreach (IndexVariable member in Form.Columns.Members.SkipLast(1))
        {
            _emitter.Bind(member, 0);
        }
        LaneForms? forms = lanes == 1 ? null : new LaneForms(_analysis, Form.Columns.Last, lanes);
        _emitter.WithVector(Form.Columns.Last, first, lanes, null, action, forms: forms);
    });

    // sums[block][which][column]
    private KExpr Place(KExpr block, int sum, KExpr column) => KBuilder.Add(
        KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(block, Form.Sums.Count), sum), KBuilder.Value(Columns)), column);

    private LoweredKernel ToKernel(string name, KExpr taskCount, KernelCost cost) => new(
        new Kernel(name, _source.Arguments.Buffers, _task, taskCount, _b.ToBlock(), cost) { Threads = new KThreads(_thread, Threads) },
        _source.Arguments.Operands);
}
