namespace Graphene.Codegen;

/// <content>Products whose tiles times k are shared out evenly; see <see cref="StreamedTiles"/>.</content>
/// <remarks>
/// <code>
/// task g, for each tile that it has a piece of:
///   sums = 0; for its tiles of k: copy ahead, sums += A tile * B tile
///   whole:  epilogue, store                 else:  sums to the workspace
/// </code>
/// A task fills its ring once for each piece, of which it has one more than it has tiles.
/// </remarks>
internal static partial class GpuProductLowering
{
    private static IReadOnlyList<LoweredKernel> LowerStreamed(string name, GpuProduct product, ProductPlan plan, GpuTarget gpu)
    {
        KernelArguments arguments = product.Fusion.Source.Arguments;
        var streams = new StreamedTiles(product, plan);
        KBuffer workspace = arguments.Output(
            "parts", product.Accumulation, new KernelOperand.Workspace(streams.Elements * product.Accumulation.SizeInBytes()));
        return
        [
            new LoweredKernel(Streamed(name + "_stream", product, plan, gpu, streams, workspace), arguments.Operands),
            new LoweredKernel(streams.Join(name, workspace), arguments.Operands),
        ];
    }

    private static Kernel Streamed(
        string name, GpuProduct product, ProductPlan plan, GpuTarget gpu, StreamedTiles streams, KBuffer workspace)
    {
        var b = new KBuilder { Multiples = new KIndexMultiples() };
        var emitter = new ExprEmitter(b, product.Analysis, product.Fusion.Source.Source);
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        var context = new ProductContext(b, emitter, thread, product, plan.Tile);
        Rings rings = Rings.Of(context, plan.Unit, gpu);
        DeclareRings(b, rings);
        KExpr begin = b.Let("begin_unit", streams.Begin(task));
        KExpr end = b.Let("end_unit", streams.Begin(KBuilder.Add(task, 1)));
        KExpr tilesEnd = b.Let("tiles_end", KBuilder.CeilDiv(end, streams.Steps));
        b.For("tile_number", b.Let("tiles_begin", KBuilder.Divide(begin, streams.Steps)), tilesEnd, 1, tile => emitter.InScope(() =>
        {
            KExpr first = b.Let("first_unit", KBuilder.Multiply(tile, streams.Steps));
            KExpr from = b.Let("from_step", KBuilder.Maximum(KBuilder.Subtract(begin, first), 0));
            KExpr to = b.Let("to_step", KBuilder.Minimum(KBuilder.Subtract(end, first), streams.Steps));
            (KExpr firstRow, KExpr firstColumn, KExpr batch) = Origin(b, tile, streams.Down, streams.Across, plan.Tile);
            BindAll(product, emitter, batch);
            ProductCore core = SumTile(
                context, rings, firstRow, firstColumn, b.Let("begin", KBuilder.Multiply(from, plan.Tile.Depth)),
                b.Let("end", KBuilder.Minimum(KBuilder.Multiply(to, plan.Tile.Depth), KBuilder.Value(product.Depth.Count))));
            var exchange = new SumExchange(context, core);
            KExpr isWhole = KBuilder.Call(ScalarOp.Equal, KBuilder.Subtract(to, from), streams.Steps);
            b.If(
                isWhole,
                () =>
                {
                    var stores = new ProductStores(product, emitter, plan.Tile.Columns);
                    exchange.Run(rings.Left.Buffer, firstRow, firstColumn, stores.Width, stores.IsAlongRows, stores.Store);
                },
                () =>
                {
                    int width = CopyForm.MostBytes / product.Accumulation.SizeInBytes();
                    KExpr isBeginning = KBuilder.Call(ScalarOp.Equal, from, 0);
                    KExpr slot = KBuilder.Add(KBuilder.Multiply(task, 2), new KSelect(isBeginning, 1, 0));
                    KExpr start = b.Let("start", streams.Slot(b.Let("slot", slot)));
                    exchange.Run(rings.Left.Buffer, firstRow, firstColumn, width, false, (row, column, sums) => b.Add(new KStore(
                        workspace,
                        KBuilder.Add(start, streams.Place(KBuilder.Subtract(row, firstRow), KBuilder.Subtract(column, firstColumn))),
                        sums, Alignment: width)));
                });
            b.Add(new KBarrier()); // the ring is filled again
        }));
        return new Kernel(name, product.Fusion.Source.Arguments.Buffers, task, streams.Tasks, b.ToBlock(), product.Cost)
        {
            Threads = new KThreads(thread, plan.Tile.Threads) { TasksPerMultiprocessor = rings.TasksTogether },
        };
    }
}
