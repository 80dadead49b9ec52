namespace Graphene.Codegen;

/// <summary>
/// The micro-kernel of dots and convolutions: a tile of running sums that stays in registers while k runs. Row i times vector j:
/// <c>sum[i][j] = fma(broadcast(a(i, k)), b(j, k), sum[i][j])</c>, so each element is summed in the order of k, whatever the
/// tile's size.
/// </summary>
internal sealed partial class RegisterTile
{
    private readonly KBuilder _b;
    private readonly KRegister[,] _sums;

    /// <param name="b">The kernel.</param>
    /// <param name="rows">Rows of sums.</param>
    /// <param name="vectors">Vectors per row.</param>
    /// <param name="type">The type of one vector of sums.</param>
    /// <param name="initial">What the sums start from; null for zero.</param>
    public RegisterTile(KBuilder b, int rows, int vectors, KType type, Func<int, int, KExpr>? initial = null)
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
                _sums[i, j] = b.Declare("sum", initial?.Invoke(i, j) ?? new KConstant(Scalar.Zero(type.Element), type.Lanes));
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
/// <remarks>
/// A step of k takes a tile of r rows and v vectors r * v multiply-adds, v loads and r broadcasts. With two of each per cycle it
/// costs the larger of the two halves, and never less than the latency of the multiply-add, because the next step waits for the
/// sums of this one. What a last, incomplete panel or tile computes in vain counts as well. One register stays free for the load of
/// the next step: without it LLVM spills a sum, whose way through memory then is the latency of every step.
/// </remarks>
internal static class RegisterTiles
{
    private const double Latency = 4;
    private const int MostVectors = 8; // with one row, a vector is used once and needs no register of its own

    // Enough to be like infinitely many.
    private const long Many = 1 << 20;

    /// <summary>Rows and vectors per row that cost the fewest cycles; of equals the tile with the most rows.</summary>
    /// <param name="rows">The number of rows there are.</param>
    /// <param name="columns">The number of columns there are.</param>
    /// <param name="lanes">Columns per vector.</param>
    /// <param name="target">The machine.</param>
    /// <param name="mostRows">What else limits the number of rows: addresses, or lines of the cache.</param>
    /// <param name="mostVectors">What else limits the number of vectors: panels that are to fit a cache. No limit for a single row.</param>
    /// <param name="fits">Which numbers of rows and vectors may be taken; one of each always may. All when null.</param>
    /// <param name="share">How much of all products is left for tiles of so many rows; all when null.</param>
    public static (int Rows, int Vectors) Choose(
        Dim rows, Dim columns, int lanes, KernelTarget target, long mostRows = long.MaxValue, long mostVectors = long.MaxValue,
        Func<int, int, bool>? fits = null, Func<int, double>? share = null)
    {
        long allRows = Math.Max(1, rows.IsStatic ? rows.Value : Many);
        mostRows = Math.Min(allRows, mostRows);
        long allVectors = Math.Max(1, DimMath.CeilDiv(columns.IsStatic ? columns.Value : Many, lanes));
        (int Rows, int Vectors) best = default;
        double lowest = double.PositiveInfinity;
        int most = Math.Min(MostVectors, target.MostSums);
        for (int v = 1; v <= Math.Min(allRows == 1 ? most : Math.Min(most, mostVectors), allVectors); v++)
        {
            int sums = Math.Min(target.VectorRegisters - 2 - v, target.MostSums);
            for (int r = (int)Math.Min(mostRows, Math.Max(1, sums / v)); r >= 1; r--)
            {
                if (fits is not null && !fits(r, v))
                {
                    continue;
                }
                double cost = DimMath.CeilDiv(allVectors, v) *
                    ((allRows / r * CyclesPerStep(r, v)) + (allRows % r == 0 ? 0 : CyclesPerStep((int)(allRows % r), v)));
                cost *= share?.Invoke(r) ?? 1;
                if (cost < lowest * 0.999 || (cost < lowest * 1.001 && r > best.Rows && v > 1))
                {
                    (best, lowest) = ((r, v), Math.Min(cost, lowest));
                }
            }
        }
        return best;
    }

    private static double CyclesPerStep(int rows, int vectors) =>
        Math.Max(Latency, Math.Max(rows * vectors, rows + vectors) / 2.0);
}
