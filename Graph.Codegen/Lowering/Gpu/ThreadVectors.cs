namespace Graphene.Codegen;

/// <summary>How many consecutive elements a thread takes at once, and how many such vectors it has on their way together.</summary>
/// <remarks>
/// Loads in flight (Little's law): 4.8 TB/s times 600 ns are 2.9 MB, 22 KB for each of 132 multiprocessors. With half of the 2048 threads
/// that fit one of them there, a thread must have 22 bytes on their way: two accesses of 16 bytes, or eight of 4.
/// <para>
/// An access of a warp is carried out in pieces of 128 bytes. Lanes that lie together fill them; lanes that are taken apart, because
/// nothing says that they are aligned, meet each piece again for each element. So vectors are worth it only where most of what is
/// accessed is aligned; elsewhere threads take single elements, and neighbours lie together.
/// </para>
/// </remarks>
internal static class ThreadVectors
{
    /// <summary>What a thread shall have on its way.</summary>
    public const int BytesInFlight = 32;

    // The widest access of a thread, and how many of them one vector of the widest element may take.
    private const int BytesPerAccess = 16;
    private const int MostAccesses = 2;

    private const int BytesPerPiece = 128;

    // What finding the place of a vector costs, in units of an access of a warp.
    private const double PerVector = 4;
    private const double PerInstruction = 0.5;

    /// <summary>The number of lanes that cost least: a power of two.</summary>
    /// <param name="analysis">Facts about the expressions.</param>
    /// <param name="inner">The counters along which lanes lie.</param>
    /// <param name="accesses">Everything that is read or written, with the sizes of its elements in bytes.</param>
    /// <param name="isWhole">Whether a number of lanes is possible.</param>
    public static int Lanes(
        ExprAnalysis analysis, LoopGroup inner, IReadOnlyList<(AffineIndex Index, int Size)> accesses, Func<int, bool> isWhole)
    {
        int most = BytesPerAccess / accesses.Min(a => a.Size);
        most = Math.Min(most, MostAccesses * BytesPerAccess / accesses.Max(a => a.Size));
        (int best, double least) = (1, Cost(1));
        for (int lanes = 2; lanes <= most; lanes *= 2)
        {
            if (isWhole(lanes) && Cost(lanes) is var cost && cost <= least)
            {
                (best, least) = (lanes, cost);
            }
        }
        return best;

        double Cost(int lanes)
        {
            var forms = new LaneForms(analysis, inner.Last, lanes);
            return (accesses.Sum(a => PerAccess(a.Index, a.Size, forms)) + PerVector) / lanes;
        }

        double PerAccess(AffineIndex index, int size, LaneForms forms)
        {
            int lanes = forms.Lanes;
            Dim? stride = forms.StrideOf(index);
            if (stride != 1)
            {
                return stride == 0 ? 0 : lanes * (PerInstruction + KThreads.WarpSize);
            }
            int together = forms.Alignment(index, v => inner.Members.Contains(v) && v != inner.Last);
            double pieces = Math.Max(1, (double)lanes * size * KThreads.WarpSize / BytesPerPiece);
            return (double)lanes / together * (PerInstruction + pieces);
        }
    }

    /// <summary>How many vectors of a thread are independent.</summary>
    /// <param name="bytes">What one vector loads.</param>
    public static int AtOnce(int bytes)
    {
        int several = 1;
        while (several < 8 && several * bytes < BytesInFlight)
        {
            several *= 2;
        }
        return several;
    }
}
