namespace Graphene.Codegen;

/// <summary>What a tile holds: the bits of its elements.</summary>
internal sealed class TileContent
{
    private readonly KTile _tile;
    private readonly ulong[][] _rows;

    public TileContent(KTile tile, long rows)
    {
        if (rows is < 1 or > KTile.MostRows)
        {
            throw Bug($"tile '{tile.Name}' has {rows} rows");
        }
        _tile = tile;
        _rows = [.. Enumerable.Range(0, (int)rows).Select(_ => new ulong[tile.Columns])];
    }

    public void Clear() => Array.ForEach(_rows, Array.Clear);

    public void Load(KernelMemory memory, long index, long stride)
    {
        for (int r = 0; r < _rows.Length; r++)
        {
            for (int c = 0; c < _tile.Columns; c++)
            {
                _rows[r][c] = memory.Read(index + (r * stride) + c);
            }
        }
    }

    public void Store(KernelMemory memory, long index, long stride)
    {
        for (int r = 0; r < _rows.Length; r++)
        {
            for (int c = 0; c < _tile.Columns; c++)
            {
                memory.Write(index + (r * stride) + c, _rows[r][c]);
            }
        }
    }

    /// <summary>Adds a product, see <see cref="KTileDot"/>.</summary>
    public void Accumulate(TileContent left, TileContent right)
    {
        int group = KDot.Group(left._tile.Element);
        if (left._rows.Length != _rows.Length || left._tile.Columns != group * right._rows.Length)
        {
            throw Bug($"tiles '{left._tile.Name}' and '{right._tile.Name}' do not fit '{_tile.Name}'");
        }
        for (int m = 0; m < _rows.Length; m++)
        {
            for (int n = 0; n < _tile.Columns; n++)
            {
                _rows[m][n] = left._tile.Element == DType.BF16
                    ? SumOfBrain(_rows[m][n], left._rows[m], right._rows, n)
                    : SumOfIntegers(_rows[m][n], left, m, right, n);
            }
        }
    }

    private static ulong SumOfIntegers(ulong sum, TileContent left, int m, TileContent right, int n)
    {
        for (int k = 0; k < right._rows.Length; k++)
        {
            sum = DotArithmetic.AddIntegers(
                sum, left._tile.Element, left._rows[m].AsSpan(4 * k, 4), right._tile.Element, right._rows[k].AsSpan(4 * n, 4));
        }
        return sum;
    }

    private static ulong SumOfBrain(ulong sum, ulong[] left, ulong[][] right, int n)
    {
        (float even, float odd) = (0, 0);
        for (int k = 0; k < right.Length; k++)
        {
            even = DotArithmetic.MultiplyAdd(even, DotArithmetic.Brain(left[2 * k]), DotArithmetic.Brain(right[k][2 * n]));
            odd = DotArithmetic.MultiplyAdd(odd, DotArithmetic.Brain(left[(2 * k) + 1]), DotArithmetic.Brain(right[k][(2 * n) + 1]));
        }
        float before = BitConverter.UInt32BitsToSingle((uint)sum);
        return BitConverter.SingleToUInt32Bits(DotArithmetic.Add(before, DotArithmetic.Add(even, odd)));
    }

    private static CompilerBugException Bug(string what) => new("Kernel IR interpreter", what);
}
