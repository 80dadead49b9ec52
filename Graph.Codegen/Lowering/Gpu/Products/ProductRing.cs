namespace Graphene.Codegen;

/// <summary>The loop over k: tiles of both operands go round a ring in shared memory, copied while earlier ones are multiplied.</summary>
/// <remarks>
/// <code>
/// copy tiles 0 .. n - 2                                   n places; one group of copies for each tile, an empty one past the end
/// for tile t:
///   wait until tile t is there; barrier                   so all have left the place of tile t - 1
///   begin to copy tile t + n - 1 to the place of t - 1
///   multiply tile t
///
/// where operands are read ahead, of the next tile in the last step:
///   wait for tile 0; barrier; read step 0
///   for tile t:
///     for step s of t:   begin to copy tile t + n - 1 (s = 0)
///                        wait for tile t + 1; barrier (last s);  read step s + 1;  multiply step s
/// </code>
/// One barrier for each tile. Tiles past the end are zeros and are never multiplied.
/// </remarks>
internal sealed class ProductRing(
    ProductContext context, ProductCore core, OperandCopy leftCopy, OperandCopy rightCopy, SharedTile left, SharedTile right)
{
    private readonly KBuilder _b = context.B;

    private int Stages => context.Tile.Stages;

    /// <summary>Adds all products from one k to another.</summary>
    public void Run(KExpr begin, KExpr end)
    {
        KExpr tiles = _b.Let("tiles", KBuilder.CeilDiv(KBuilder.Maximum(KBuilder.Subtract(end, begin), 0), context.Tile.Depth));
        for (int stage = 0; stage < Stages - 1; stage++)
        {
            Copy(begin, end, stage)();
            _b.Add(new KAsyncCommit());
        }
        if (core.ReadsAhead)
        {
            RunAhead(begin, end, tiles);
        }
        else
        {
            _b.For("tile", 0, tiles, 1, tile => RunTile(begin, end, tile));
        }
        _b.Add(new KAsyncWait(0));
    }

    private void RunTile(KExpr begin, KExpr end, KExpr tile)
    {
        Arrive();
        Action finish = Copy(begin, end, KBuilder.Add(tile, Stages - 1));
        _b.Add(new KAsyncCommit());
        KExpr[] now = Read(tile, 0);
        for (int step = 0; step < core.Steps; step++)
        {
            KExpr[] next = step + 1 < core.Steps ? Read(tile, step + 1) : [];
            core.Multiply(now);
            now = next;
        }
        finish();
    }

    private void RunAhead(KExpr begin, KExpr end, KExpr tiles)
    {
        Arrive();
        KRegister[] first = [.. Read(0, 0).Select(o => _b.Declare("ahead", o))];
        _b.For("tile", 0, tiles, 1, tile =>
        {
            KExpr[] now = [.. first.Select(r => _b.Let("now", new KRead(r)))];
            Action finish = Copy(begin, end, KBuilder.Add(tile, Stages - 1));
            _b.Add(new KAsyncCommit());
            for (int step = 0; step < core.Steps; step++)
            {
                bool isLast = step == core.Steps - 1;
                if (isLast)
                {
                    finish();
                    Arrive();
                }
                KExpr[] next = isLast ? Read(KBuilder.Add(tile, 1), 0) : Read(tile, step + 1);
                core.Multiply(now);
                now = next;
            }
            for (int i = 0; i < first.Length; i++)
            {
                _b.Assign(first[i], now[i]);
            }
        });
    }

    // Of the groups begun, all but the last n - 2 are there.
    private void Arrive()
    {
        _b.Add(new KAsyncWait(Stages - 2));
        _b.Add(new KBarrier());
    }

    private KExpr[] Read(KExpr tile, int step)
    {
        KExpr place = Place(tile);
        return core.Read(_b.Let("left", left.Base(place)), _b.Let("right", right.Base(place)), step);
    }

    private Action Copy(KExpr begin, KExpr end, KExpr tile)
    {
        KExpr place = Place(tile);
        KExpr depth = _b.Let("depth", KBuilder.Add(begin, KBuilder.Multiply(tile, context.Tile.Depth)));
        Action finishLeft = leftCopy.Begin(depth, end, place);
        Action finishRight = rightCopy.Begin(depth, end, place);
        return finishLeft + finishRight;
    }

    private KExpr Place(KExpr tile) => _b.Let("place", KBuilder.Remainder(tile, Stages));
}
