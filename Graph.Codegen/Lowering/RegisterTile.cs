namespace Graphene.Codegen;

/// <summary>
/// The micro-kernel of dots and convolutions: a tile of running sums that stays in registers while k runs. Row i times vector j:
/// <c>sum[i][j] = fma(broadcast(a(i, k)), b(j, k), sum[i][j])</c>, so each element is summed in the order of k, whatever the
/// tile's size.
/// </summary>
internal sealed class RegisterTile
{
    private readonly KBuilder _b;
    private readonly KRegister[,] _sums;

    public RegisterTile(KBuilder b, int rows, int vectors, KType type)
    {
        _b = b;
        Rows = rows;
        Vectors = vectors;
        Type = type;
        _sums = new KRegister[rows, vectors];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < vectors; j++)
            {
                _sums[i, j] = b.Declare("sum", new KConstant(Scalar.Zero(type.Element), type.Lanes));
            }
        }
    }

    public int Rows { get; }

    public int Vectors { get; }

    /// <summary>The type of one vector of sums.</summary>
    public KType Type { get; }

    /// <summary>One step of k.</summary>
    /// <param name="a">The scalar of a row, of the sums' element type.</param>
    /// <param name="b">A vector of columns, of the sums' type.</param>
    public void Accumulate(Func<int, KExpr> a, Func<int, KExpr> b)
    {
        KExpr[] columns = [.. Enumerable.Range(0, Vectors).Select(j => _b.Let("b", b(j)))];
        for (int i = 0; i < Rows; i++)
        {
            KExpr row = _b.Let("a", KBuilder.Broadcast(a(i), Type.Lanes));
            for (int j = 0; j < Vectors; j++)
            {
                KExpr sum = new KRead(_sums[i, j]);
                _b.Assign(_sums[i, j], Type.Element.IsFloating()
                    ? KBuilder.FusedMultiplyAdd(row, columns[j], sum)
                    : KBuilder.Add(KBuilder.Multiply(row, columns[j]), sum));
            }
        }
    }

    /// <summary>A vector of sums.</summary>
    public KExpr this[int row, int vector] => new KRead(_sums[row, vector]);

    /// <summary>A loaded value in the type that sums are kept in.</summary>
    public KExpr Widen(KExpr value) => value.Type.Element == Type.Element ? value : new KConvert(value, Type.Element);
}

/// <summary>Chooses the shape of register tiles.</summary>
internal static class RegisterTiles
{
    /// <summary>
    /// Rows and vectors per row. A step of k loads the vectors once and broadcasts each row, so rows amortise loads; the sums, the
    /// vectors and one broadcast must fit the registers; at least about eight sums hide the latency of fused multiply-add.
    /// </summary>
    /// <param name="rows">The number of rows there are, when it is known and small.</param>
    /// <param name="target">The machine.</param>
    public static (int Rows, int Vectors) Choose(long? rows, KernelTarget target)
    {
        int budget = target.VectorRegisters - 2;
        int most = (budget - 2) / 2; // with two vectors per row: 6 rows of 16 registers, 14 of 32
        return rows switch
        {
            1 => (1, Math.Min(8, budget / 2)),
            2 => (2, 4),
            3 => (3, budget / 4 >= 4 ? 4 : 3),
            { } few when few <= most => ((int)few, 2),
            _ => (most, 2),
        };
    }
}
