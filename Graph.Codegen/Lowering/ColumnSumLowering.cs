namespace Graphene.Codegen;

/// <summary>
/// Lowers sums over the rows of a matrix with few columns, and what is computed for its elements besides: gradients of biases and of the
/// scales and shifts of normalizations, together with the gradient that passes on.
/// </summary>
/// <remarks>
/// <code>
/// kernel 1, a task for some blocks of 128 rows:          kernel 2, a task for some columns:
///   for columns, eight vectors wide                        total = sum over blocks of sums[block][column], in order
///     for row of the block                                 results = f(initial + total)
///       sum += element(row, columns)
///       elements that are results are stored
///     sums[block][columns] = sum
/// </code>
/// Operands are read once, row by row, and threads share the rows. A sum in blocks of 128 terms is what the numerics contract says of
/// sums across rows anyway, so bits are those of <see cref="LoopNestLowering"/> and no thread count changes them.
/// </remarks>
internal sealed partial class ColumnSumLowering
{
    private const long FewestElements = 1 << 15;
    private const long ElementsPerTask = 1 << 15;
    private const int VectorsAtOnce = 8;
    private const int ColumnsPerJoin = 64;

    // A body with more instructions than this leaves the registers when eight vectors are computed together.
    private const int FewOps = 12;

    private readonly FusionSource _source;
    private readonly KernelTarget _target;
    private readonly KBuilder _b = new();
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private ColumnSumForm _form = null!;

    private ColumnSumLowering(Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        _source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        _target = target;
        _emitter = new ExprEmitter(_b, _analysis, _source.Source) { Target = target };
    }

    private long Rows => _form.Rows.Extent.Value;

    private long Columns => _form.Columns.Extent.Value;

    private long Blocks => _form.Blocks.Value;

    private IReadOnlyList<ColumnSum> Sums => _form.Sums;

    private DType SumType => _form.SumType;

    private int Lanes => _target.Lanes(SumType);

    /// <summary>The two kernels, or null when the fusion needs another schedule.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        // Each kernel has arguments, and so expressions, of its own.
        var blocks = new ColumnSumLowering(fusion, target, isOverwritten, lookups);
        if (!blocks.TryRead())
        {
            return null;
        }
        var join = new ColumnSumLowering(fusion, target, isOverwritten, lookups);
        join.TryRead();
        Dim size = blocks.Blocks * blocks.Sums.Count * blocks.Columns * blocks.SumType.SizeInBytes();
        var workspace = new KernelOperand.Workspace(size);
        return [blocks.SumBlocks(name + "_blocks", fusion, workspace), join.Join(name, workspace)];
    }

    private bool TryRead()
    {
        if (_source.Body.Results.Any(r => !r.Shape.IsStatic) || ColumnSumForm.TryRead(_source, _analysis, IsSplit) is not { } form)
        {
            return false;
        }
        _form = form;
        return form.Rows.Extent.IsStatic && Columns >= Lanes && Rows > ExprEmitter.BlockLength && Rows * Columns >= FewestElements;
    }

    private static bool IsSplit(ReductionFunction function) => function.Op == ScalarOp.Add && function.Identity.DType.IsFloating();

    private LoweredKernel SumBlocks(string name, Node fusion, KernelOperand.Workspace workspace)
    {
        KBuffer partial = _source.Arguments.Output("sums", SumType, workspace);
        var task = new KVariable("task", KType.Index);
        long blocksPerTask = Math.Max(1, ElementsPerTask / (ExprEmitter.BlockLength * Columns));
        KExpr first = _b.Let("block0", KBuilder.Multiply(task, blocksPerTask));
        KExpr last = _b.Let("block1", KBuilder.Minimum(KBuilder.Add(first, blocksPerTask), Blocks));
        int ops = ExprAnalysis.All(_form.PerElement).OfType<CallExpr>()
            .Sum(c => VectorMath.Expands(c.Op) ? FewOps : 1);
        int wide = Lanes * (ops <= FewOps ? VectorsAtOnce : 2) / Math.Max(1, Sums.Count);
        wide = Math.Max(Lanes, wide / Lanes * Lanes);
        wide = (int)Math.Min(wide, Columns / Lanes * Lanes);
        _b.For("block", first, last, 1, block =>
        {
            KExpr row = _b.Let("row0", KBuilder.Multiply(block, ExprEmitter.BlockLength));
            KExpr end = _b.Let("row1", KBuilder.Minimum(KBuilder.Add(row, ExprEmitter.BlockLength), Rows));
            long whole = Columns / wide * wide;
            long vectors = Columns / Lanes * Lanes;
            if (Sweeps(ops, wide))
            {
                SumBySweeps(partial, block, row, end, vectors);
            }
            else
            {
                _b.For("column", 0, whole, wide, column => SumBlock(partial, block, row, end, column, wide, null));
                _b.For("column", whole, vectors, Lanes, column => SumBlock(partial, block, row, end, column, Lanes, null));
            }
            if (vectors < Columns)
            {
                KExpr mask = _b.Let("mask", KBuilder.Less(new KRamp(0, 1, Lanes), KBuilder.Broadcast(Columns - vectors, Lanes)));
                SumBlock(partial, block, row, end, vectors, Lanes, mask);
            }
        });
        Dim bytes = fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        return ToKernel(name, task, DimMath.CeilDiv(Blocks, blocksPerTask), new KernelCost(Rows * Columns * ops, bytes));
    }

    private void SumBlock(KBuffer partial, KExpr block, KExpr row, KExpr end, KExpr column, int lanes, KExpr? mask) =>
        _emitter.InScope(() =>
        {
            BindOthers(_form.Columns);
            _emitter.WithVector(_form.Columns.Last, column, lanes, mask, () =>
            {
                KRegister[] sums = [.. Sums.Select(s => _b.Declare("sum", new KConstant(s.Function.Identity, lanes)))];
                _emitter.Hoist(_form.PerElement, _form.RowVariables);
                _b.For("r", row, end, 1, r => _emitter.InScope(() =>
                {
                    _form.BindRow(_emitter, r);
                    KExpr[] values = [.. _form.Elements.Select(e => _emitter.EmitLanes(e.Element))];
                    for (int i = 0; i < sums.Length; i++)
                    {
                        KExpr term = Sums[i].Function.Widen(_emitter.EmitLanes(Sums[i].Element));
                        _b.Assign(sums[i], KBuilder.Add(new KRead(sums[i]), term));
                    }
                    for (int i = 0; i < values.Length; i++)
                    {
                        _emitter.Store(_form.Elements[i].Output, _form.Elements[i].Store, values[i]);
                    }
                }));
                for (int i = 0; i < sums.Length; i++)
                {
                    _b.Store(partial, Place(block, i, column), new KRead(sums[i]), mask);
                }
            });
        });

    private LoweredKernel Join(string name, KernelOperand.Workspace workspace)
    {
        KBuffer partial = _source.Arguments.Input("sums", SumType, workspace);
        var task = new KVariable("task", KType.Index);
        long step = Math.Max(Lanes, ColumnsPerJoin);
        KExpr first = _b.Let("column0", KBuilder.Multiply(task, step));
        KExpr last = _b.Let("column1", KBuilder.Minimum(KBuilder.Add(first, step), Columns));
        KExpr whole = _b.Let("whole", KBuilder.Add(
            first, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(last, first), Lanes), Lanes)));
        _b.For("column", first, whole, Lanes, column => JoinColumns(partial, column, null));
        if (Columns % Lanes != 0)
        {
            _emitter.EmitTail(last, whole, Lanes, mask => JoinColumns(partial, whole, mask));
        }
        var cost = new KernelCost(Blocks * Columns * Sums.Count, workspace.SizeInBytes);
        return ToKernel(name, task, DimMath.CeilDiv(Columns, step), cost);
    }

    private void JoinColumns(KBuffer partial, KExpr column, KExpr? mask) => _emitter.InScope(() =>
    {
        BindOthers(_form.Columns);
        _emitter.WithVector(_form.Columns.Last, column, Lanes, mask, () =>
        {
            for (int i = 0; i < Sums.Count; i++)
            {
                (LoopResultExpr result, _, ReductionFunction function) = Sums[i];
                int number = i;
                KRegister total = _b.Declare("total", new KConstant(function.Identity, Lanes));
                _b.For("block", 0, Blocks, 1, block => _b.Assign(total, KBuilder.Add(
                    new KRead(total), new KLoad(partial, Place(block, number, column), Lanes, mask))));
                _emitter.Bind(result, _b.Let("result", ExprEmitter.EmitCall(
                    ScalarOp.Add, [_emitter.Emit(result.Loop.Initial[0]), function.Round(new KRead(total))])));
            }
            foreach (ColumnRoot root in _form.Roots)
            {
                _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
            }
        });
    });

    private void BindOthers(LoopGroup group)
    {
        foreach (IndexVariable member in group.Members.SkipLast(1))
        {
            _emitter.Bind(member, 0);
        }
    }

    // sums[block][which][column]
    private KExpr Place(KExpr block, int sum, KExpr column) => KBuilder.Add(
        KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(block, Sums.Count), sum), Columns), column);

    private LoweredKernel ToKernel(string name, KVariable task, KExpr taskCount, KernelCost cost) => new(
        new Kernel(name, _source.Arguments.Buffers, task, taskCount, _b.ToBlock(), cost), _source.Arguments.Operands);
}
