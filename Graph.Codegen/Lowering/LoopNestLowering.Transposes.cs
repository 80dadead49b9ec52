namespace Graphene.Codegen;

/// <content>
/// Loops that walk one operand along memory and the results across it: tiles of one vector by one vector, transposed in registers.
/// <code>
/// task: a block of u by v               operand[v][u], result[u][v]
///   for columns of v, a cache line or two wide
///     for u by lanes                    reads kilobytes that lie together, one piece of each of a few rows
///       for v by lanes
///         rows[k] = operand[v + k][u .. u + lanes]
///         result[u + i][v .. v + lanes] = f(column i of rows)     writes whole cache lines
/// </code>
/// </content>
public sealed partial class LoopNestLowering
{
    private const int BytesReadTogether = 1024;
    private const int BytesWrittenTogether = 128;
    private const int ColumnsPerTask = 256;

    // The body is repeated for each lane.
    private const int MostOpsInTile = 32;

    private KExpr? TryEmitTransposed(LoopPlan plan, KVariable task)
    {
        int lanes = VectorLanes();
        if (plan.Inner is not { } v || plan.Serial.Count > 0 || lanes < 2 || IsShorter(v.Extent, lanes) || !IsTileBody())
        {
            return null;
        }
        foreach (LoopGroup u in plan.Outer)
        {
            LoadExpr[] across = [.. _nest.Loads.Where(load => IsAcross(AffineIndex.Of(load), u, v))];
            if (across.Length > 0 && !IsShorter(u.Extent, lanes))
            {
                return EmitTransposed(new Tiles(u, v, across, lanes), [.. plan.Outer.Where(g => g != u)], plan, task);
            }
        }
        return null;
    }

    private static bool IsShorter(Dim extent, int lanes) => extent.IsStatic && extent.Value < lanes;

    private bool IsAcross(AffineIndex index, LoopGroup u, LoopGroup v) =>
        IsLinear(index, u, v) && index[u.Last] == 1 && index[v.Last] != 0 && index[v.Last] != 1;

    // Whether a position grows evenly with some counters, whatever it does with others.
    private bool IsLinear(AffineIndex index, params LoopGroup[] groups) =>
        index.Opaque.All(part => !_analysis.DependsOn(part.Term, [.. groups.SelectMany(g => g.Members)]));

    // Nothing that is guarded may be read before its guard, and nothing dear or large is worth repeating.
    private bool IsTileBody()
    {
        ScalarExpr[] all = [.. _nest.Expressions];
        return all.Length <= MostOpsInTile && all.All(e => e switch
        {
            GuardExpr or LoopResultExpr => false,
            CallExpr call => !IsExpanded(call),
            _ => true,
        });
    }

    private KExpr EmitTransposed(Tiles tiles, IReadOnlyList<LoopGroup> rest, LoopPlan plan, KVariable task)
    {
        (LoopGroup u, LoopGroup v, _, int lanes) = tiles;
        int size = _roots.Max(r => r.Output.Element.SizeInBytes());
        long uBlock = Math.Max(lanes, BytesReadTogether / size);
        long vStep = Math.Max(lanes, BytesWrittenTogether / size);
        long vBlock = Math.Max(vStep, ColumnsPerTask);
        KExpr uBlocks = KBuilder.CeilDiv(KBuilder.Value(u.Extent), uBlock);
        KExpr vBlocks = KBuilder.CeilDiv(KBuilder.Value(v.Extent), vBlock);
        KExpr place = _b.Let("place", KBuilder.Divide(task, vBlocks));
        (KExpr u0, KExpr u1, KExpr uWhole) = Range(u, KBuilder.Remainder(place, uBlocks), uBlock, lanes);
        (KExpr v0, KExpr v1, KExpr vWhole) = Range(v, KBuilder.Remainder(task, vBlocks), vBlock, lanes);
        _emitter.InScope(() =>
        {
            if (rest.Count > 0)
            {
                _emitter.BindRow(rest, _b.Let("row", KBuilder.Divide(place, uBlocks)));
            }
            _emitter.Hoist(_nest.Elements, [.. u.Members, .. v.Members]);
            _b.For("v", v0, vWhole, vStep, first =>
            {
                KExpr last = _b.Let("last", KBuilder.Minimum(KBuilder.Add(first, vStep), vWhole));
                _b.For("u", u0, uWhole, lanes, i => _b.For("v", first, last, lanes, j => EmitTile(tiles, i, j)));
            });
            if (!IsMultiple(v.Extent, lanes))
            {
                _b.For("u", u0, uWhole, 1, i => _emitter.InScope(() =>
                {
                    _emitter.BindGroup(u, i);
                    EmitVectorLoop(plan, v, vWhole, v1, lanes, _roots);
                }));
            }
            if (!IsMultiple(u.Extent, lanes))
            {
                _b.For("u", uWhole, u1, 1, i => _emitter.InScope(() =>
                {
                    _emitter.BindGroup(u, i);
                    EmitVectorLoop(plan, v, v0, v1, lanes, _roots);
                }));
            }
        });
        KExpr rows = KBuilder.Value(rest.Aggregate((Dim)1, (n, g) => n * g.Extent));
        return KBuilder.Multiply(KBuilder.Multiply(rows, uBlocks), vBlocks);
    }

    private static bool IsMultiple(Dim extent, int lanes) => extent.IsStatic && extent.Value % lanes == 0;

    private (KExpr Begin, KExpr End, KExpr Whole) Range(LoopGroup group, KExpr block, long size, int lanes)
    {
        KExpr begin = _b.Let("begin", KBuilder.Multiply(block, size));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, size), KBuilder.Value(group.Extent)));
        KExpr whole = IsMultiple(group.Extent, lanes)
            ? end
            : _b.Let("whole", KBuilder.Add(begin, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, begin), lanes), lanes)));
        return (begin, end, whole);
    }

    private void EmitTile(Tiles tiles, KExpr u, KExpr v)
    {
        (LoopGroup along, LoopGroup across, LoadExpr[] loads, int lanes) = tiles;
        KExpr[][] columns = [.. loads.Select(load => VectorTranspose.Emit(_b, Rows(load)))];
        for (int i = 0; i < lanes; i++)
        {
            int lane = i;
            _emitter.InScope(() =>
            {
                _emitter.BindGroup(along, KBuilder.Add(u, lane));
                BindOthers(across);
                _emitter.WithVector(across.Last, v, lanes, null, () =>
                {
                    for (int l = 0; l < loads.Length; l++)
                    {
                        _emitter.Bind(loads[l], columns[l][lane]);
                    }
                    StoreAll(_roots);
                });
            });
        }

        KExpr[] Rows(LoadExpr load)
        {
            var rows = new KExpr[lanes];
            for (int k = 0; k < lanes; k++)
            {
                int row = k;
                _emitter.InScope(() =>
                {
                    _emitter.BindGroup(across, KBuilder.Add(v, row));
                    BindOthers(along);
                    _emitter.WithVector(along.Last, u, lanes, null, () => rows[row] = _emitter.EmitLanes(load));
                });
            }
            return rows;
        }
    }

    private void BindOthers(LoopGroup group)
    {
        foreach (IndexVariable member in group.Members.SkipLast(1))
        {
            _emitter.Bind(member, 0);
        }
    }

    private sealed record Tiles(LoopGroup Along, LoopGroup Across, LoadExpr[] Loads, int Lanes);
}
