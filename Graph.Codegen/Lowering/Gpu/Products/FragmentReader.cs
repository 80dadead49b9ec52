namespace Graphene.Codegen;

/// <summary>Reads the pieces of one operand that matrix instructions take, from its tile in shared memory.</summary>
/// <remarks>
/// By <c>ldmatrix</c> where lines are in order of k, or elements have two bytes, which it can transpose: a warp
/// reads 512 bytes in four rounds of 128, each of 8 lines at one piece, so without bank conflicts. Elsewhere
/// (elements of 4 and 8 bytes in lines of one k) element by element: 4 lines by 8 neighbours, without conflicts
/// where pieces are exchanged by pairs.
/// </remarks>
internal sealed class FragmentReader
{
    private const int LinesOfMatrix = 8;

    private readonly KBuilder _b;
    private readonly SharedTile _tile;
    private readonly KFragmentShape _shape;
    private readonly bool _isLeft;
    private readonly KExpr _lane;
    private readonly List<LanePlaces> _places = [];
    private readonly List<(int Axis, int Depth)> _elements = [];

    /// <summary>Prepares reading, before the loop.</summary>
    /// <param name="b">Where statements go.</param>
    /// <param name="lane">The thread's number in its warp.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="shape">The instruction.</param>
    /// <param name="isLeft">Whether it is the left operand.</param>
    /// <param name="first">The warp's first row or column, a multiple of 8.</param>
    /// <param name="count">How many rows or columns the warp has.</param>
    /// <param name="depth">How many k a tile has.</param>
    public FragmentReader(
        KBuilder b, KExpr lane, SharedTile tile, KFragmentShape shape, bool isLeft, KExpr first, int count, int depth)
    {
        (_b, _lane, _tile, _shape, _isLeft) = (b, lane, tile, shape, isLeft);
        if (UsesMatrices)
        {
            _elements.Add((0, 0));
        }
        else
        {
            // The order in which the instruction takes them: rows first, then the second half of k.
            for (int k = 0; k < shape.Depth; k += 4)
            {
                for (int r = 0; r < (isLeft ? shape.Rows : shape.Columns); r += LinesOfMatrix)
                {
                    _elements.Add((r, k));
                }
            }
        }
        foreach ((int axis, int k) in _elements)
        {
            (KExpr line, KExpr piece, KExpr within) = UsesMatrices ? OfMatrices(first) : OfElement(first, axis, k);
            int pieces = (tile.IsAlongDepth ? depth : count) / tile.Piece;
            _places.Add(new LanePlaces(b, tile, line, piece, within, Math.Max(1, pieces)));
        }
    }

    /// <summary>Whether matrix loads serve; they can only be transposed where elements have two bytes.</summary>
    public bool UsesMatrices => Element.SizeInBytes() switch
    {
        1 => _tile.IsAlongDepth,
        2 => true,
        4 => _tile.IsAlongDepth,
        _ => false,
    };

    /// <summary>How many blocks of rows or columns one read serves.</summary>
    public int BlocksAtOnce(int blocks) => _isLeft || !UsesMatrices || blocks % 2 != 0 ? 1 : 2;

    private DType Element => _tile.Buffer.Element;

    private int BlockSize => _isLeft ? _shape.Rows : _shape.Columns;

    /// <summary>The pieces of neighbouring blocks.</summary>
    /// <param name="start">Where the tile begins in the ring.</param>
    /// <param name="block">The first block of rows or columns, counted from the warp's first.</param>
    /// <param name="blocks">How many: 1, or what <see cref="BlocksAtOnce"/> says.</param>
    /// <param name="step">Which steps of k before are left out.</param>
    public IEnumerable<KExpr> Read(KExpr start, int block, int blocks, int step)
    {
        (int axis, int depth) = (block * BlockSize, step * _shape.Depth);
        if (!UsesMatrices)
        {
            KExpr[] values = [.. _places.Select(p => _b.Let("element", new KLoad(_tile.Buffer, p.At(start, axis, depth))))];
            return [values.Length switch
            {
                1 => values[0],
                2 => new KJoin(values[0], values[1]),
                _ => new KJoin(new KJoin(values[0], values[1]), new KJoin(values[2], values[3])),
            }];
        }
        int matrices = _isLeft ? 4 : 2 * blocks;
        int lanes = 4 / Element.SizeInBytes();
        var value = new KVariable(_isLeft ? "a" : "b", new KType(Element, matrices * lanes));
        _b.Add(new KFragmentLoad(value, _tile.Buffer, _places[0].At(start, axis, depth), matrices, !_tile.IsAlongDepth));
        return blocks == 1
            ? [value]
            : Enumerable.Range(0, blocks).Select(i => _b.Let(
                "b", new KShuffle(value, Enumerable.Range(i * 2 * lanes, 2 * lanes).ToValueList())));
    }

    // Thread 8 i + r says where row r of matrix i lies. Matrices of the left operand come rows first, of the right one k first.
    private (KExpr Line, KExpr Piece, KExpr Within) OfMatrices(KExpr first)
    {
        KExpr matrix = KBuilder.Divide(_lane, LinesOfMatrix);
        KExpr row = KBuilder.Remainder(_lane, LinesOfMatrix);
        KExpr low = KBuilder.Remainder(matrix, 2);
        KExpr high = KBuilder.Divide(matrix, 2);
        (KExpr axis, KExpr half) = _isLeft ? (low, high) : (high, low);
        return _tile.IsAlongDepth
            ? (KBuilder.Add(first, KBuilder.Add(KBuilder.Multiply(axis, LinesOfMatrix), row)), half, 0)
            : (KBuilder.Add(KBuilder.Multiply(half, LinesOfMatrix), row),
                KBuilder.Add(KBuilder.Divide(first, _tile.Piece), axis), 0);
    }

    private (KExpr Line, KExpr Piece, KExpr Within) OfElement(KExpr first, int axisOffset, int depthOffset)
    {
        KExpr axis = _b.Let("axis", KBuilder.Add(KBuilder.Add(first, axisOffset), KBuilder.Divide(_lane, 4)));
        KExpr depth = _b.Let("depth", KBuilder.Add(depthOffset, KBuilder.Remainder(_lane, 4)));
        (KExpr line, KExpr element) = _tile.IsAlongDepth ? (axis, depth) : (depth, axis);
        return (line, KBuilder.Divide(element, _tile.Piece), KBuilder.Remainder(element, _tile.Piece));
    }
}
