namespace Graphene.Codegen;

/// <content>How partial results become one: in a thread, across the lanes of a warp, across warps.</content>
internal sealed partial class GpuRowLowering
{
    // Element k of a thread joins its lane k mod n of the order; then these join by halves.
    private KExpr[] JoinInThread(RowReduction reduction, KExpr[] elements, RowTeam team)
    {
        int sums = Math.Min(team.Sums, elements[0].Type.Lanes);
        KExpr[] total = Part(elements, 0, sums);
        for (int k = sums; k < elements[0].Type.Lanes; k += sums)
        {
            int count = Math.Min(sums, elements[0].Type.Lanes - k);
            KExpr[] joined = Combine(reduction, count < sums ? Part(total, 0, count) : total, Part(elements, k, count));
            total = count == sums ? joined : Append(joined, Part(total, count, sums - count));
        }
        for (int half = team.Sums / 2; half >= 1; half /= 2)
        {
            int lanes = total[0].Type.Lanes;
            if (lanes <= half)
            {
                continue; // the others are not there
            }
            int pairs = lanes - half;
            KExpr[] joined = Combine(reduction, Part(total, 0, pairs), Part(total, half, pairs));
            total = pairs == half ? joined : Append(joined, Part(total, pairs, half - pairs));
        }
        return total;
    }

    private KExpr[] Combine(RowReduction reduction, KExpr[] a, KExpr[] b) =>
        [.. reduction.Combine(_emitter, a, b).Select(v => _b.Let("joined", v))];

    private static KExpr[] Part(KExpr[] values, int first, int count) => [.. values.Select(v =>
        v.Type.Lanes == count ? v : new KShuffle(v, Enumerable.Range(first, count).ToValueList()))];

    // Vectors of different lengths: both are widened to the whole, of which each gives its part.
    private static KExpr[] Append(KExpr[] low, KExpr[] high) => [.. low.Zip(high, (l, h) =>
    {
        int count = Math.Max(2, Math.Max(l.Type.Lanes, h.Type.Lanes));
        KExpr both = new KJoin(Widened(l, count), Widened(h, count));
        return new KShuffle(
            both, Enumerable.Range(0, l.Type.Lanes).Concat(Enumerable.Range(count, h.Type.Lanes)).ToValueList());
    })];

    private static KExpr Widened(KExpr value, int lanes) => value.Type.Lanes == lanes ? value
        : value.Type.IsScalar ? KBuilder.Broadcast(value, lanes)
        : new KShuffle(value, Enumerable.Range(0, lanes).Select(i => Math.Min(i, value.Type.Lanes - 1)).ToValueList());

    private KExpr[] JoinAcrossLanes(RowReduction reduction, KExpr[] total, int width)
    {
        for (int distance = width / 2; distance >= 1; distance /= 2)
        {
            KExpr[] others = [.. total.Select(t =>
            {
                var other = new KVariable("other", t.Type);
                _b.Add(new KExchange(other, t, KExchangeKind.Xor, distance));
                return other;
            })];
            total = Combine(reduction, total, others);
        }
        return total;
    }

    private KBuffer[][] Shared(RowLoop[] loops, int warps) => [.. loops.Select(l => l.Reduction.Types.Select(t =>
    {
        KBuffer buffer = KBuffer.Shared("warps", t, warps);
        _b.Add(new KScratch(buffer));
        return buffer;
    }).ToArray())];

    // Each warp's totals go through shared memory; all threads join them in order.
    private KExpr[][] JoinAcrossWarps(RowLoop[] loops, KExpr[][] totals, KBuffer[][] shared, int warps, KExpr lane, KExpr warp)
    {
        _b.If(KBuilder.Call(ScalarOp.Equal, lane, 0), () =>
        {
            for (int i = 0; i < loops.Length; i++)
            {
                for (int k = 0; k < shared[i].Length; k++)
                {
                    _b.Store(shared[i][k], warp, totals[i][k]);
                }
            }
        });
        _b.Add(new KBarrier());
        return [.. loops.Select((l, i) => JoinSegments(l.Reduction, shared[i], warps))];
    }

    private KExpr[] JoinSegments(RowReduction reduction, KBuffer[] shared, int segments)
    {
        KExpr[]? total = null;
        for (int chunk = 0; chunk < segments; chunk += RowTeam.SegmentsPerChunk)
        {
            KExpr[] sum = At(chunk);
            for (int s = chunk + 1; s < Math.Min(segments, chunk + RowTeam.SegmentsPerChunk); s++)
            {
                sum = Combine(reduction, sum, At(s));
            }
            total = total is null ? sum : Combine(reduction, total, sum);
        }
        return total!;

        KExpr[] At(int segment) => [.. shared.Select(buffer => _b.Let("segment", new KLoad(buffer, segment)))];
    }
}
