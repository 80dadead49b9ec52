namespace Graphene.Codegen;

/// <summary>
/// A register that holds a small matrix: up to 16 rows of up to 64 bytes. Declared by
/// <see cref="KTiles"/>; compared by reference.
/// </summary>
/// <param name="name">A name for text.</param>
/// <param name="element">The element type.</param>
/// <param name="columns">Elements per row.</param>
public sealed class KTile(string name, DType element, int columns)
{
    /// <summary>The most rows that a tile has.</summary>
    public const int MostRows = 16;

    /// <summary>The most bytes in a row.</summary>
    public const int MostBytesPerRow = 64;

    /// <summary>How many tiles there can be at once.</summary>
    public const int MostTiles = 8;

    /// <summary>A name for text.</summary>
    public string Name { get; } = name;

    /// <summary>The element type.</summary>
    public DType Element { get; } = element;

    /// <summary>Elements per row.</summary>
    public int Columns { get; } = columns;
}

/// <summary>Makes tiles available in a block; they are zero at its start. Such blocks do not nest.</summary>
/// <param name="Tiles">The tiles, at most <see cref="KTile.MostTiles"/>.</param>
/// <param name="Rows">How many rows each has, scalar i64 from 1 to <see cref="KTile.MostRows"/>.</param>
/// <param name="Body">Where they are visible.</param>
public sealed record KTiles(IReadOnlyList<KTile> Tiles, IReadOnlyList<KExpr> Rows, KBlock Body) : KStmt;

/// <summary>Sets all elements of a tile to zero.</summary>
/// <param name="Tile">The tile.</param>
public sealed record KTileZero(KTile Tile) : KStmt;

/// <summary>Reads the rows of a tile from memory.</summary>
/// <param name="Tile">The tile.</param>
/// <param name="Buffer">The buffer, of the same element type.</param>
/// <param name="Index">Where the first row begins, i64, in elements.</param>
/// <param name="Stride">The distance of neighbouring rows, i64, in elements.</param>
public sealed record KTileLoad(KTile Tile, KBuffer Buffer, KExpr Index, KExpr Stride) : KStmt;

/// <summary>Writes the rows of a tile to memory.</summary>
/// <param name="Tile">The tile.</param>
/// <param name="Buffer">The buffer, of the same element type.</param>
/// <param name="Index">Where the first row begins, i64, in elements.</param>
/// <param name="Stride">The distance of neighbouring rows, i64, in elements.</param>
public sealed record KTileStore(KTile Tile, KBuffer Buffer, KExpr Index, KExpr Stride) : KStmt;

/// <summary>
/// Adds a product of narrow elements to a tile: sum[m, n] += left[m, g * k + i] * right[k, g * n + i] over all k and i, where g is
/// <see cref="KDot.Group"/>.
/// </summary>
/// <remarks>
/// Integers are added exactly and wrapped to 32 bits. For bf16 the products with i = 0 are summed over k by fused multiply-adds that
/// start from zero, those with i = 1 likewise, the two sums are added, and the result is added to the tile; every step rounds to nearest
/// even and takes denormal operands and results for zero. That is what AMX does.
/// </remarks>
/// <param name="Sum">i32 or f32.</param>
/// <param name="Left">As many rows as the sum.</param>
/// <param name="Right">As many rows as the left tile has groups.</param>
public sealed record KTileDot(KTile Sum, KTile Left, KTile Right) : KStmt;
