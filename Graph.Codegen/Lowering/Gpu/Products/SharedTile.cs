namespace Graphene.Codegen;

/// <summary>
/// Where the elements of an operand's tile lie in shared memory: lines of elements, in pieces of 16 bytes that are exchanged within each
/// line so that what a warp reads at once comes from different banks.
/// </summary>
/// <remarks>
/// <code>
/// line 0   p0 p1 p2 p3 | line 1   p0 p1 p2 p3        128 bytes are all banks once; here a line has 64
/// line 2   p1 p0 p3 p2 | line 3   p1 p0 p3 p2        piece p of a line lies at p xor turn(line)
/// line 4   p2 p3 p0 p1 | ...
/// </code>
/// The same piece of 8 neighbouring lines, which <c>ldmatrix</c> reads, lies in 8 different sixteenths of 128 bytes; so do neighbouring
/// pieces of one line, which copies write. 8-byte elements are read by pairs of pieces (<paramref name="isTurnedByPairs"/>).
/// </remarks>
/// <param name="buffer">The ring.</param>
/// <param name="offset">Where the first tile begins in it.</param>
/// <param name="lines">Lines of a tile.</param>
/// <param name="length">Elements of a line: a power of two, at least 16 bytes.</param>
/// <param name="isAlongDepth">Whether a line is a row or column of the operand, in order of k; else it is one k.</param>
/// <param name="isTurnedByPairs">Whether pieces are exchanged two by two.</param>
internal sealed class SharedTile(KBuffer buffer, int offset, int lines, int length, bool isAlongDepth, bool isTurnedByPairs)
{
    private const int PieceBytes = 16;
    private const int BankBytes = 128;

    /// <summary>The ring.</summary>
    public KBuffer Buffer => buffer;

    /// <summary>Elements of a tile.</summary>
    public int Size => lines * length;

    /// <summary>Lines of a tile.</summary>
    public int Lines => lines;

    /// <summary>Elements of a line.</summary>
    public int Length => length;

    /// <summary>Whether a line is a row or column of the operand, in order of k.</summary>
    public bool IsAlongDepth => isAlongDepth;

    /// <summary>Elements of a piece.</summary>
    public int Piece => PieceBytes / buffer.Element.SizeInBytes();

    /// <summary>After so many lines, pieces are exchanged in the same way again.</summary>
    public int Period => Math.Max(1, Turns * LinesPerTurn >> (isTurnedByPairs ? 1 : 0));

    private int Pieces => length / Piece;

    private int Turns => Math.Min(BankBytes / PieceBytes, Pieces);

    private int LinesPerTurn => Math.Max(1, BankBytes / (length * buffer.Element.SizeInBytes()));

    /// <summary>Where the tile in a place of the ring begins.</summary>
    public KExpr Base(KExpr place) => KBuilder.Add(KBuilder.Multiply(place, Size), offset);

    /// <summary>What a line's pieces are exchanged by.</summary>
    public KExpr Turn(KExpr line)
    {
        KExpr number = KBuilder.Divide(line, LinesPerTurn);
        return Turns == 1 ? 0 : isTurnedByPairs
            ? And(KBuilder.Multiply(number, 2), Turns - 1)
            : And(number, Turns - 1);
    }

    /// <summary>Where an element lies, counted from the tile's beginning.</summary>
    public KExpr Place(KExpr line, KExpr element) => Place(line, KBuilder.Divide(element, Piece), KBuilder.Remainder(element, Piece));

    /// <summary>Where an element lies, counted from the tile's beginning.</summary>
    public KExpr Place(KExpr line, KExpr piece, KExpr within) => KBuilder.Add(
        KBuilder.Add(KBuilder.Multiply(line, length), KBuilder.Multiply(Xor(piece, Turn(line)), Piece)), within);

    /// <summary>Bits of a number.</summary>
    public static KExpr And(KExpr a, long mask) => a is KConstant { Value: var value }
        ? (long)value.AsInteger & mask
        : KBuilder.Call(ScalarOp.And, a, mask);

    /// <summary>Exclusive or.</summary>
    public static KExpr Xor(KExpr a, KExpr b) => (a, b) switch
    {
        (KConstant { Value: var x }, KConstant { Value: var y }) => (long)x.AsInteger ^ (long)y.AsInteger,
        (KConstant { Value: var x }, _) when x.AsInteger == 0 => b,
        (_, KConstant { Value: var y }) when y.AsInteger == 0 => a,
        _ => KBuilder.Call(ScalarOp.Xor, a, b),
    };
}
