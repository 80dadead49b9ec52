namespace Graphene.Codegen;

/// <summary>Chooses the shape of register tiles for products of narrow elements.</summary>
/// <remarks>
/// Counted as in <see cref="RegisterTiles"/>: a step takes r * v dots, v loads and r broadcasts, two of each per cycle, and at least the
/// latency of a dot. A left operand that is moved or widened costs r instructions more beside the dots, so wider tiles pay, and a
/// register for what it is moved by.
/// </remarks>
internal static class NarrowTiles
{
    private const double Latency = 5;
    private const int MostVectors = 8;
    private const long Many = 1 << 20;

    /// <summary>Rows and vectors per row that cost the fewest cycles; of equals the tile with the most rows.</summary>
    /// <param name="rows">The number of rows there are.</param>
    /// <param name="columns">The number of columns there are.</param>
    /// <param name="lanes">Columns per vector.</param>
    /// <param name="target">The machine.</param>
    /// <param name="form">How products are computed.</param>
    /// <param name="mostRows">No tile has more.</param>
    /// <param name="mostVectors">No tile has more, unless it has a single row.</param>
    /// <param name="fits">Which numbers of vectors may be taken; one always may. All when null.</param>
    public static (int Rows, int Vectors) Choose(
        Dim rows, Dim columns, int lanes, KernelTarget target, NarrowForm form, long mostRows, long mostVectors,
        Func<int, bool>? fits = null)
    {
        long allRows = Math.Max(1, rows.IsStatic ? rows.Value : Many);
        mostRows = Math.Max(1, Math.Min(mostRows, allRows));
        long allVectors = Math.Max(1, DimMath.CeilDiv(columns.IsStatic ? columns.Value : Many, lanes));
        int free = target.VectorRegisters - 2 - (form.MovesLeft ? 1 : 0);
        (int Rows, int Vectors) best = default;
        double lowest = double.PositiveInfinity;
        for (int v = 1; v <= Math.Min(allRows == 1 ? MostVectors : Math.Min(MostVectors, mostVectors), allVectors); v++)
        {
            if (fits is not null && !fits(v))
            {
                continue;
            }
            for (int r = (int)Math.Min(mostRows, Math.Max(1, (free - v) / v)); r >= 1; r--)
            {
                long rest = allRows % r;
                double cost = DimMath.CeilDiv(allVectors, v) *
                    ((allRows / r * CyclesPerStep(r, v, form)) + (rest == 0 ? 0 : CyclesPerStep((int)rest, v, form)));
                if (cost < lowest * 0.999 || (cost < lowest * 1.001 && r > best.Rows && v > 1))
                {
                    (best, lowest) = ((r, v), Math.Min(cost, lowest));
                }
            }
        }
        return best;
    }

    private static double CyclesPerStep(int rows, int vectors, NarrowForm form)
    {
        // Pairs of i16 are multiplied by one instruction and added by another; widening the left operand takes two.
        int dots = rows * vectors * (form.Left == DType.I16 ? 2 : 1);
        int preparing = form.MovesLeft ? rows : form.Left == DType.I16 ? 2 * rows : 0;
        return Math.Max(Latency, Math.Max(dots + preparing, rows + vectors) / 2.0);
    }
}
