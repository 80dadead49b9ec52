using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <content>
/// Results whose fastest dimension is a few elements long, computed from operands in which those lie far apart, or are one: the colours of an
/// image that comes as planes, the columns of one that grows. Lanes run along a row of pixels, one vector for each colour, and are
/// interleaved before they are stored.
/// <code>
/// for pixel in row by lanes
///   r = f(red[pixel ..])   g = f(green[pixel ..])   b = f(blue[pixel ..])
///   result[3 * pixel ..] = r0 g0 b0 r1 g1 b1 ...          as many vectors as there are colours
/// </code>
/// </content>
public sealed partial class LoopNestLowering
{
    private const int FewestLanes = 4;

    private KExpr? TryEmitInterleaved(LoopPlan plan, KVariable task)
    {
        if (plan is not { Inner: { } v, Serial.Count: 0, Outer: [.., var u] } || !Sealing.AreColours(v.Extent)
            || LanesAlong(u) < 2 || !_roots.All(r => IsInterleaved(r, u, v))
            || !_nest.Loads.Any(load => AffineIndex.Of(load)[u.Last] == 1) || !IsBodyOfLanes(u, v))
        {
            return null;
        }
        int lanes = LanesAlong(u);
        long colours = v.Extent.Value;
        LoopGroup[] rows = [.. plan.Outer.SkipLast(1)];
        KExpr extent = KBuilder.Value(u.Extent);
        if (rows.Length == 0)
        {
            long chunk = DimMath.CeilDiv(ElementsPerTask / colours, lanes) * lanes;
            KExpr begin = _b.Let("begin", KBuilder.Multiply(task, chunk));
            EmitInterleavedRow(plan, u, begin, _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, chunk), extent)), isRow: false);
            return KBuilder.CeilDiv(extent, chunk);
        }
        KExpr count = KBuilder.Value(rows.Aggregate((Dim)1, (n, g) => n * g.Extent));
        KExpr rowsPerTask = KBuilder.Maximum(1, KBuilder.Divide(ElementsPerTask / colours, extent));
        KExpr first = _b.Let("begin", KBuilder.Multiply(task, rowsPerTask));
        _b.For("row", first, _b.Let("end", KBuilder.Minimum(KBuilder.Add(first, rowsPerTask), count)), 1, row => _emitter.InScope(() =>
        {
            _emitter.BindRow(rows, row);
            EmitInterleavedRow(plan, u, 0, extent, isRow: true);
        }));
        return KBuilder.Divide(KBuilder.Add(count, KBuilder.Subtract(rowsPerTask, 1)), rowsPerTask);
    }

    // Short rows are read by vectors of fewer lanes, so that one that ends with the row begins in it.
    private int LanesAlong(LoopGroup u)
    {
        int lanes = VectorLanes();
        while (lanes > FewestLanes && IsShorter(u.Extent, lanes))
        {
            lanes /= 2;
        }
        return IsShorter(u.Extent, lanes) ? 1 : lanes;
    }

    private static bool IsInterleaved(LoopRoot root, LoopGroup u, LoopGroup v) =>
        root.Own.Count == 0 && root.Store.Opaque.Count == 0 && root.Store[v.Last] == 1 && root.Store[u.Last] == v.Extent;

    // Computed once for each colour, from what lies together along the row, or is the same in all of it.
    private bool IsBodyOfLanes(LoopGroup u, LoopGroup v)
    {
        ScalarExpr[] all = [.. _nest.Expressions];
        return all.Length <= MostOpsInTile && !all.Any(e => e is LoopResultExpr) && _nest.Loads.All(load =>
            AffineIndex.Of(load) is var index && IsLinear(index, u, v) && (index[u.Last] == 0 || (index[u.Last] == 1 && index[v.Last] != 1)));
    }

    private void EmitInterleavedRow(LoopPlan plan, LoopGroup u, KExpr begin, KExpr end, bool isRow)
    {
        (LoopGroup v, int lanes) = (plan.Inner!, LanesAlong(u));
        _emitter.Hoist(_nest.Elements, [.. u.Members, .. v.Members]);
        KExpr whole = _b.Let("whole", KBuilder.Add(begin, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, begin), lanes), lanes)));
        void EmitPixels(KExpr pixel) => _emitter.InScope(() =>
        {
            KExpr[][] colours = [.. Enumerable.Range(0, (int)v.Extent.Value).Select(c => LanesOfColour(u, v, pixel, c))];
            for (int r = 0; r < _roots.Count; r++)
            {
                StoreInterleaved(_roots[r], u, v, pixel, [.. colours.Select(values => values[r])]);
            }
        });

        _b.For("pixel", begin, whole, lanes, EmitPixels);
        if (isRow && u.Extent.IsStatic && !_source.WritesOverOperand)
        {
            if (u.Extent.Value % lanes != 0)
            {
                EmitPixels(u.Extent.Value - lanes); // a vector that ends with the row
            }
            return;
        }
        _b.For("pixel", whole, end, 1, pixel => _emitter.InScope(() =>
        {
            _emitter.BindGroup(u, pixel);
            EmitVectorLoop(plan, v, 0, KBuilder.Value(v.Extent), lanes, _roots);
        }));
    }

    // The results of consecutive pixels in one colour.
    private KExpr[] LanesOfColour(LoopGroup u, LoopGroup v, KExpr pixel, int colour)
    {
        KExpr[] values = [];
        _emitter.InScope(() =>
        {
            _emitter.BindGroup(v, colour);
            BindOthers(u);
            _emitter.WithVector(u.Last, pixel, LanesAlong(u), null, () =>
                values = [.. _roots.Select(root => _b.Let("colour", _emitter.EmitLanes(root.Element)))]);
        });
        return values;
    }

    private void StoreInterleaved(LoopRoot root, LoopGroup u, LoopGroup v, KExpr pixel, KExpr[] colours)
    {
        _emitter.BindGroup(u, pixel);
        _emitter.BindGroup(v, 0);
        KExpr at = _b.Let("at", _emitter.EmitPosition(root.Store));
        int lanes = colours[0].Type.Lanes;
        for (int part = 0; part < colours.Length; part++)
        {
            KExpr mixed = colours[0];
            for (int colour = 1; colour < colours.Length; colour++)
            {
                (int first, int next, bool isFirst) = (part * lanes, colour, colour == 1);
                mixed = _b.Let("mixed", new KShuffle(new KJoin(mixed, colours[colour]), Enumerable.Range(first, lanes).Select(place =>
                {
                    (int from, int own) = Math.DivRem(place, colours.Length);
                    return own == next ? lanes + from : isFirst ? from : place - first;
                }).ToValueList()));
            }
            _b.Store(root.Output, KBuilder.Add(at, part * lanes), mixed);
        }
    }
}
