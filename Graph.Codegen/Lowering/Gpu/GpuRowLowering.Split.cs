namespace Graphene.Codegen;

/// <content>
/// Few rows, and long ones: a block takes a chunk of a row, and what chunks reduce to goes through memory to the next kernel.
/// <code>
/// kernel of level l, a block for a chunk of 8192         last kernel, a block for a chunk
///   statistics of the levels before = chunks in order      all statistics = chunks in order
///   partial[chunk] = statistics of level l                 results of the chunk's elements, and of the row
/// </code>
/// The order is that of one block that walks the row, so the bits are, too.
/// </content>
internal sealed partial class GpuRowLowering
{
    private static readonly int WordInBytes = DType.I64.SizeInBytes();

    private long ChunksPerRow => DimMath.CeilDiv(_form.Column.Extent.Value, RowTeam.Chunk);

    // Each kernel has arguments, and so expressions, of its own.
    private static LoweredKernel[] Split(string name, Node fusion, Func<GpuRowLowering> again)
    {
        int levels = again()._form.Levels;
        return [.. Enumerable.Range(1, levels + 1).Select(level => again().SplitKernel(
            level > levels ? name : $"{name}_level{level}", fusion, level))];
    }

    private LoweredKernel SplitKernel(string name, Node fusion, int level)
    {
        long words = _form.Rows.Value * ChunksPerRow;
        var workspace = new KernelOperand.Workspace(words * _form.Loops.Sum(l => l.Reduction.Types.Count) * WordInBytes);
        bool isLast = level > _form.Levels;
        var partial = new Dictionary<DType, KBuffer>();
        foreach (DType type in _form.Loops.Where(l => l.Level <= level).SelectMany(l => l.Reduction.Types).Distinct())
        {
            partial.Add(type, isLast
                ? _source.Arguments.Input("partial", type, workspace)
                : _source.Arguments.Output("partial", type, workspace));
        }
        KExpr row = _b.Let("row", KBuilder.Divide(_task, ChunksPerRow));
        KExpr chunk = _b.Let("chunk", KBuilder.Remainder(_task, ChunksPerRow));
        KExpr lane = _b.Let("lane", KBuilder.Remainder(_thread, KThreads.WarpSize));
        KExpr warp = _b.Let("warp", KBuilder.Divide(_thread, KThreads.WarpSize));
        KExpr length = _form.Column.Extent.Value;
        _emitter.InScope(() =>
        {
            BindRowAndHoist(row);
            for (int before = 1; before < level; before++)
            {
                RowLoop[] loops = [.. _form.Loops.Where(l => l.Level == before)];
                Finish(loops, [.. loops.Select(l => JoinChunks(l, partial, row))], null);
                HoistKnown(before);
            }
            (KExpr begin, KExpr end) = SegmentOf(KBuilder.Multiply(chunk, RowTeam.Chunk), warp, length);
            if (isLast)
            {
                EmitPieces(lane, begin, end, length, _ => StoreColumns());
                StoreOfRow(chunk);
                return;
            }
            RowLoop[] now = [.. _form.Loops.Where(l => l.Level == level)];
            KExpr[][] sums = EmitSegment(now, lane, begin, end, length);
            KExpr[][] joined = JoinAcrossWarps(now, sums, Shared(now, LoopedWarps), LoopedWarps, lane, warp);
            _b.If(KBuilder.Call(ScalarOp.Equal, _thread, 0), () =>
            {
                for (int i = 0; i < now.Length; i++)
                {
                    for (int k = 0; k < joined[i].Length; k++)
                    {
                        KBuffer buffer = partial[joined[i][k].Type.Element];
                        _b.Store(buffer, PlaceOf(now[i], k, buffer, row, chunk), joined[i][k]);
                    }
                }
            });
        });
        var kernel = new Kernel(
            name, _source.Arguments.Buffers, _task, words, _b.ToBlock(), _nest.Cost(fusion))
        {
            Threads = new KThreads(_thread, LoopedWarps * KThreads.WarpSize),
        };
        return new LoweredKernel(kernel, _source.Arguments.Operands);
    }

    private void StoreOfRow(KExpr chunk)
    {
        if (_form.Roots.All(r => r.HasColumns))
        {
            return;
        }
        KExpr isFirst = KBuilder.Call(ScalarOp.Equal, KBuilder.Add(chunk, _thread), 0);
        _b.If(isFirst, () => _emitter.InScope(StoreRowResults));
    }

    private KExpr[] JoinChunks(RowLoop loop, Dictionary<DType, KBuffer> partial, KExpr row)
    {
        KRegister[] total = [.. loop.Reduction.Identity(1).Select(i => _b.Declare("total", i))];
        _b.For("chunk", 0, ChunksPerRow, 1, chunk => _emitter.InScope(() => Accumulate(loop.Reduction, total,
        [
            .. loop.Reduction.Types.Select((t, k) => _b.Let("partial", new KLoad(partial[t], PlaceOf(loop, k, partial[t], row, chunk)))),
        ])), unroll: 8);
        return [.. total.Select(t => _b.Let("total", new KRead(t)))];
    }

    // A part of 8 bytes a chunk for each value of each reduction, whatever its type.
    private KExpr PlaceOf(RowLoop loop, int value, KBuffer buffer, KExpr row, KExpr chunk)
    {
        long number = _form.Loops.TakeWhile(l => l != loop).Sum(l => l.Reduction.Types.Count) + value;
        long first = number * _form.Rows.Value * ChunksPerRow * WordInBytes / buffer.Element.SizeInBytes();
        return KBuilder.Add(KBuilder.Add(KBuilder.Multiply(row, ChunksPerRow), chunk), first);
    }
}
