namespace Graphene.Codegen;

/// <summary>
/// Where a thread reads in the tiles of a ring: an own line and piece, computed once, moved by distances that are known while compiling. A
/// piece's place within its line costs nothing in the loop, since all distances that occur are there before.
/// </summary>
internal sealed class LanePlaces
{
    private readonly SharedTile _tile;
    private readonly KExpr _line;
    private readonly KExpr[] _pieces;

    /// <summary>Computes the places.</summary>
    /// <param name="b">Where statements go.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="line">The thread's line.</param>
    /// <param name="piece">Its piece.</param>
    /// <param name="within">Which element of the piece it reads.</param>
    /// <param name="pieces">The distances of pieces are less than this.</param>
    public LanePlaces(KBuilder b, SharedTile tile, KExpr line, KExpr piece, KExpr within, int pieces)
    {
        _tile = tile;
        KExpr own = b.Let("line", line);
        KExpr turn = b.Let("turn", tile.Turn(own));
        KExpr first = b.Let("piece", piece);
        _line = b.Let("line", KBuilder.Add(KBuilder.Multiply(own, tile.Length), within));
        _pieces = [.. Enumerable.Range(0, pieces).Select(i => b.Let(
            "piece", KBuilder.Multiply(SharedTile.Xor(KBuilder.Add(first, i), turn), tile.Piece)))];
    }

    /// <summary>The place, moved by a number of rows or columns and of k.</summary>
    /// <param name="start">Where the tile begins in the ring.</param>
    /// <param name="axis">How many rows or columns further.</param>
    /// <param name="depth">How many k further.</param>
    public KExpr At(KExpr start, int axis, int depth)
    {
        (int lines, int elements) = _tile.IsAlongDepth ? (axis, depth) : (depth, axis);
        if (lines % _tile.Period != 0 || elements % _tile.Piece != 0)
        {
            throw new CompilerBugException("lowering", $"fragments {lines} lines and {elements} elements apart are not exchanged alike");
        }
        return KBuilder.Add(KBuilder.Add(start, KBuilder.Add(_line, lines * _tile.Length)), _pieces[elements / _tile.Piece]);
    }
}
