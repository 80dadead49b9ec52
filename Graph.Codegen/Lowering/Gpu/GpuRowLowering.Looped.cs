namespace Graphene.Codegen;

/// <content>
/// Rows that registers do not hold, or whose length is not known: they are walked once for each level of statistics and once for the
/// results, and come from the caches after the first time.
/// <code>
/// warps of a block, one segment of 1024 each:            or, for rows up to 1024, a warp for a row
///   for chunk of 8192
///     for piece of 256 of the warp's segment             8 elements of a thread on their way
///       sum += elements
///     sums of the segments join in shared memory
/// </code>
/// A thread meets the same elements in each walk, so results may take the memory of what it has read.
/// </content>
internal sealed partial class GpuRowLowering
{
    private const int PieceLanes = 8;
    private const int Piece = PieceLanes * KThreads.WarpSize;
    private const int LoopedWarps = RowTeam.SegmentsPerChunk;

    private KExpr EmitLooped(Dim length)
    {
        KExpr rows = KBuilder.Value(_form.Rows);
        KExpr lane = _b.Let("lane", KBuilder.Remainder(_thread, KThreads.WarpSize));
        KExpr warp = _b.Let("warp", KBuilder.Divide(_thread, KThreads.WarpSize));
        KExpr row = KBuilder.Add(KBuilder.Multiply(_task, LoopedWarps), warp);
        DimRange range = length.Range;
        if (range.Min > RowTeam.Segment)
        {
            EmitLoopedRow(length, _task, lane, warp);
            return rows;
        }
        if (range.Max <= RowTeam.Segment)
        {
            _b.If(KBuilder.Less(row, rows), () => EmitLoopedRow(length, row, lane, null));
            return KBuilder.CeilDiv(rows, LoopedWarps);
        }
        KExpr isShort = KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Value(length), RowTeam.Segment);
        _b.If(
            isShort,
            () => _b.If(KBuilder.Less(row, rows), () => EmitLoopedRow(length, _b.Let("row", row), lane, null)),
            () => EmitLoopedRow(length, _task, lane, warp));

        // 8 rows of a block where they are short and 1 elsewhere, in the words that counts of tasks have
        KExpr one = KBuilder.Minimum(1, KBuilder.Maximum(0, KBuilder.Subtract(RowTeam.Segment + 1, KBuilder.Value(length))));
        KExpr several = KBuilder.Add(KBuilder.Multiply(one, LoopedWarps - 1), 1);
        return KBuilder.Divide(KBuilder.Add(rows, KBuilder.Subtract(several, 1)), several);
    }

    private void EmitLoopedRow(Dim length, KExpr row, KExpr lane, KExpr? warp) => _emitter.InScope(() =>
    {
        BindRowAndHoist(row);
        KExpr end = _b.Let("length", KBuilder.Value(length));
        for (int level = 1; level <= _form.Levels; level++)
        {
            RowLoop[] loops = [.. _form.Loops.Where(l => l.Level == level)];
            KExpr[][] totals = warp is null
                ? EmitSegment(loops, lane, 0, end, end)
                : EmitChunks(loops, lane, warp, end);
            Finish(loops, totals, null);
            HoistKnown(level);
        }
        if (_form.Roots.Any(r => r.HasColumns))
        {
            void EmitElements(KExpr begin, KExpr segmentEnd) => EmitPieces(lane, begin, segmentEnd, end, _ => StoreColumns());
            if (warp is null)
            {
                EmitElements(0, end);
            }
            else
            {
                _b.For("chunk", 0, end, RowTeam.Chunk, chunk => _emitter.InScope(() =>
                {
                    (KExpr begin, KExpr segmentEnd) = SegmentOf(chunk, warp, end);
                    EmitElements(begin, segmentEnd);
                }));
            }
        }
        if (!_form.Roots.All(r => r.HasColumns))
        {
            _b.If(KBuilder.Call(ScalarOp.Equal, warp is null ? lane : _thread, 0), () => _emitter.InScope(StoreRowResults));
        }
    });

    private (KExpr Begin, KExpr End) SegmentOf(KExpr chunk, KExpr warp, KExpr length)
    {
        KExpr begin = _b.Let("begin", KBuilder.Add(chunk, KBuilder.Multiply(warp, RowTeam.Segment)));
        return (begin, _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, RowTeam.Segment), length)));
    }

    // total = identity ; for chunk: total += segments of the chunk, in order
    private KExpr[][] EmitChunks(RowLoop[] loops, KExpr lane, KExpr warp, KExpr length)
    {
        KRegister[][] totals = [.. loops.Select(l => l.Reduction.Identity(1).Select(i => _b.Declare("total", i)).ToArray())];
        KBuffer[][] shared = Shared(loops, LoopedWarps);
        _b.For("chunk", 0, length, RowTeam.Chunk, chunk => _emitter.InScope(() =>
        {
            (KExpr begin, KExpr end) = SegmentOf(chunk, warp, length);
            KExpr[][] sums = EmitSegment(loops, lane, begin, end, length);
            KExpr[][] joined = JoinAcrossWarps(loops, sums, shared, LoopedWarps, lane, warp);
            for (int i = 0; i < loops.Length; i++)
            {
                Accumulate(loops[i].Reduction, totals[i], joined[i]);
            }
            _b.Add(new KBarrier());
        }));
        return [.. totals.Select(t => t.Select(r => _b.Let("total", new KRead(r))).ToArray())];
    }

    // What the threads of a warp make of a segment, in all of them.
    private KExpr[][] EmitSegment(RowLoop[] loops, KExpr lane, KExpr begin, KExpr end, KExpr length)
    {
        KRegister[][] sums = [.. loops.Select(l => l.Reduction.Identity(1).Select(i => _b.Declare("sum", i)).ToArray())];
        EmitPieces(lane, begin, end, length, mask =>
        {
            for (int i = 0; i < loops.Length; i++)
            {
                KExpr[] elements = Elements(loops[i], mask, PieceLanes);
                for (int k = 0; k < PieceLanes; k++)
                {
                    Accumulate(loops[i].Reduction, sums[i], Part(elements, k, 1));
                }
            }
        });
        return [.. loops.Select((l, i) => JoinAcrossLanes(
            l.Reduction, [.. sums[i].Select(s => _b.Let("sum", new KRead(s)))], KThreads.WarpSize))];
    }

    private void Accumulate(RowReduction reduction, KRegister[] total, KExpr[] with)
    {
        KExpr[] joined = Combine(reduction, [.. total.Select(t => new KRead(t))], with);
        for (int k = 0; k < total.Length; k++)
        {
            _b.Assign(total[k], joined[k]);
        }
    }

    private void EmitPieces(KExpr lane, KExpr begin, KExpr end, KExpr length, Action<KExpr?> body)
    {
        KExpr count = KBuilder.Maximum(0, KBuilder.Subtract(end, begin));
        KExpr whole = _b.Let("whole", KBuilder.Add(begin, KBuilder.Multiply(KBuilder.Divide(count, Piece), Piece)));
        _b.For("piece", begin, whole, Piece, piece => EmitPiece(piece, null));
        _b.If(KBuilder.Less(whole, end), () => EmitPiece(whole, length));

        void EmitPiece(KExpr piece, KExpr? limit) => _emitter.InScope(() =>
        {
            KExpr first = _b.Let("first", KBuilder.Add(piece, lane));
            KExpr? mask = limit is null ? null
                : _b.Let("mask", KBuilder.Less(new KRamp(first, KThreads.WarpSize, PieceLanes), limit));
            _emitter.WithVector(_form.Column, first, PieceLanes, mask, () => body(mask), step: KThreads.WarpSize);
        });
    }
}
