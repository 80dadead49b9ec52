namespace Graphene.Codegen;

/// <summary>
/// How all tiles of a product, each with its steps of k, are shared out evenly among as many tasks as a machine runs at a time, so that
/// no multiprocessor waits for the last tiles (Osama et al., "Stream-K", 2023).
/// </summary>
/// <remarks>
/// <code>
/// units    tile 0: 0 .. steps - 1 | tile 1: steps .. 2 steps - 1 | ...
/// task g   units  g units / tasks  to before  (g + 1) units / tasks,  cut at the ends of tiles into pieces
///
/// tasks         0         1         2                a whole tile ends in its task: epilogue, store
///          [---------|---------|---------]           others go to the workspace, at most two of each task:
/// tiles    [     |     |     |     |     ]             slot 2 g      the end, or a middle, of a tile that an earlier task began
///            0     1     2     3     4                 slot 2 g + 1  the beginning of a tile that a later task ends
///
/// joining  for each boundary of tasks, if it is the first in its tile: sums = slot 2 g + 1 of the task before it, + slot 2 g of those
///          behind it, in their order; epilogue, store
/// </code>
/// Where tasks begin follows from sizes and their number alone, and so do the bits; nothing depends on which task ends first. All sizes
/// are known while compiling. There are at least as many units as tasks.
/// </remarks>
internal sealed class StreamedTiles
{
    private const int Threads = 128;

    private readonly GpuProduct _product;
    private readonly ProductTile _tile;

    /// <summary>Shares out the tiles of a product.</summary>
    /// <exception cref="CompilerBugException">A size is not known, or there are more tasks than units.</exception>
    public StreamedTiles(GpuProduct product, ProductPlan plan)
    {
        (_product, _tile, Tasks) = (product, plan.Tile, plan.Streams);
        if (new[] { product.Batch, product.Rows, product.Columns, product.Depth }.Any(a => !a.Count.IsStatic))
        {
            throw new CompilerBugException("lowering", $"tiles of symbolic size cannot be shared out: {plan}");
        }
        Down = DimMath.CeilDiv(product.Rows.Count.Value, _tile.Rows);
        Across = DimMath.CeilDiv(product.Columns.Count.Value, _tile.Columns);
        Steps = Math.Max(1, DimMath.CeilDiv(product.Depth.Count.Value, _tile.Depth));
        Units = product.Batch.Count.Value * Down * Across * Steps;
        if (Tasks < 2 || Units < Tasks)
        {
            throw new CompilerBugException("lowering", $"{Units} units cannot be shared out among {Tasks} tasks");
        }
    }

    /// <summary>How many tasks there are.</summary>
    public int Tasks { get; }

    /// <summary>Rows of tiles of one product.</summary>
    public long Down { get; }

    /// <summary>Columns of tiles.</summary>
    public long Across { get; }

    /// <summary>How many tiles of k there are for each tile of the results.</summary>
    public long Steps { get; }

    /// <summary>Steps of all tiles of all products.</summary>
    public long Units { get; }

    /// <summary>The elements of the workspace.</summary>
    public long Elements => 2L * Tasks * SlotElements;

    private long SlotElements => (long)_tile.Rows * _tile.Columns;

    /// <summary>The first unit of a task.</summary>
    public KExpr Begin(KExpr task) => KBuilder.Divide(KBuilder.Multiply(task, Units), Tasks);

    /// <summary>Where a slot of the workspace begins.</summary>
    public KExpr Slot(KExpr slot) => KBuilder.Multiply(slot, SlotElements);

    /// <summary>Where a sum lies in a slot.</summary>
    /// <param name="row">Its row in the tile.</param>
    /// <param name="column">Its column in the tile.</param>
    public KExpr Place(KExpr row, KExpr column) => KBuilder.Add(KBuilder.Multiply(row, _tile.Columns), column);

    /// <summary>The kernel that joins the pieces of tiles that several tasks share, and ends the fusion.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="workspace">The pieces.</param>
    public Kernel Join(string name, KBuffer workspace)
    {
        var b = new KBuilder { Multiples = new KIndexMultiples() };
        var emitter = new ExprEmitter(b, _product.Analysis, _product.Fusion.Source.Source);
        var stores = new ProductStores(_product, emitter);
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        int ofRow = _tile.Columns / stores.Width;
        int count = _tile.Rows * ofRow;
        long tasksOfTile = DimMath.CeilDiv(count, Threads);
        KExpr boundary = b.Let("boundary", KBuilder.Add(KBuilder.Divide(task, tasksOfTile), 1));
        KExpr unit = b.Let("unit", Begin(boundary));
        KExpr tile = b.Let("tile", KBuilder.Divide(unit, Steps));
        KExpr first = b.Let("first", KBuilder.Multiply(tile, Steps));
        KExpr piece = b.Let("piece", KBuilder.Add(KBuilder.Multiply(KBuilder.Remainder(task, tasksOfTile), Threads), thread));
        // A boundary between tiles cuts none, and of several in a tile the first one sees to it.
        KExpr isCut = KBuilder.Less(first, unit);
        KExpr isFirst = KBuilder.Call(ScalarOp.LessOrEqual, Begin(KBuilder.Subtract(boundary, 1)), first);
        b.If(And(isCut, And(isFirst, KBuilder.Less(piece, count))), () =>
        {
            (KExpr row0, KExpr column0, KExpr batch) = GpuProductLowering.Origin(b, tile, Down, Across, _tile);
            KExpr line = b.Let("line", KBuilder.Divide(piece, ofRow));
            KExpr at = b.Let("at", KBuilder.Multiply(KBuilder.Remainder(piece, ofRow), stores.Width));
            KExpr row = b.Let("row", KBuilder.Add(row0, line));
            KExpr column = b.Let("column", KBuilder.Add(column0, at));
            KExpr exists = And(
                KBuilder.Less(row, KBuilder.Value(_product.Rows.Count)), KBuilder.Less(column, KBuilder.Value(_product.Columns.Count)));
            b.If(exists, () =>
            {
                GpuProductLowering.BindAll(_product, emitter, batch);
                KExpr place = b.Let("place", Place(line, at));
                KRegister sum = b.Declare("sum", Piece(KBuilder.Subtract(KBuilder.Multiply(boundary, 2), 1)));
                KExpr end = b.Let("end", KBuilder.CeilDiv(KBuilder.Multiply(KBuilder.Add(tile, 1), Steps * Tasks), Units));
                b.For("part", boundary, end, 1, part => b.Assign(
                    sum, KBuilder.Add(new KRead(sum), Piece(KBuilder.Multiply(part, 2)))));
                stores.Store(row, column, b.Let("sums", new KRead(sum)));

                KExpr Piece(KExpr slot)
                {
                    KExpr from = b.Let("from", KBuilder.Add(Slot(slot), place));
                    return new KLoad(workspace, from, stores.Width, Alignment: b.Multiples!.AlignmentOf(from, stores.Width));
                }
            });
        });
        return new Kernel(
            name, _product.Fusion.Source.Arguments.Buffers, task, (Tasks - 1) * tasksOfTile, b.ToBlock(),
            new KernelCost(0, (Elements + SlotElements) * _product.Accumulation.SizeInBytes()))
        {
            Threads = new KThreads(thread, Threads),
        };
    }

    private static KExpr And(KExpr a, KExpr b) => KBuilder.Call(ScalarOp.And, a, b);
}
