namespace Graphene.Codegen;

/// <summary>Transposes a square of lanes in registers.</summary>
/// <remarks>
/// <code>
/// distance 1:  a b  =>  a e     distance 2 then exchanges blocks of 2 x 2, and so on: n vectors of n lanes
///              e f      b f     take n log2(n) shuffles of two vectors each
/// </code>
/// </remarks>
internal static class VectorTranspose
{
    /// <summary>Lane i of result j is lane j of row i.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="rows">As many vectors as they have lanes, a power of two.</param>
    public static KExpr[] Emit(KBuilder b, IReadOnlyList<KExpr> rows)
    {
        int lanes = rows.Count;
        KExpr[] now = [.. rows];
        for (int distance = 1; distance < lanes; distance *= 2)
        {
            for (int i = 0; i < lanes; i++)
            {
                if ((i & distance) == 0)
                {
                    var pair = new KJoin(now[i], now[i + distance]);
                    now[i] = b.Let("low", new KShuffle(pair, Lanes(lanes, l => (l & distance) == 0 ? l : lanes + l - distance)));
                    now[i + distance] =
                        b.Let("high", new KShuffle(pair, Lanes(lanes, l => (l & distance) == 0 ? l + distance : lanes + l)));
                }
            }
        }
        return now;
    }

    private static ValueList<int> Lanes(int count, Func<int, int> source) => Enumerable.Range(0, count).Select(source).ToValueList();
}
