namespace Graphene.Codegen;

/// <summary>The shapes of attention's register tiles.</summary>
internal static class AttentionTiles
{
    /// <summary>Keys per tile of scores: the sums, the vectors of queries and one broadcast fill the registers.</summary>
    public static int Rows(int vectors, KernelTarget target) => vectors == 2 ? (target.VectorRegisters - 4) / 2 : 12;

    /// <summary>
    /// Cuts the queries of a task into the rows of result tiles, as even as can be, and says how many vectors of columns a tile
    /// has: about twelve sums, with the vectors and one broadcast in registers.
    /// </summary>
    /// <param name="queries">Queries per task.</param>
    /// <param name="columns">Columns there are.</param>
    /// <param name="target">The machine.</param>
    /// <param name="type">The element type.</param>
    public static (int[] Rows, int Vectors) Context(int queries, int columns, KernelTarget target, DType type)
    {
        int most = (target.VectorRegisters - 4) / 2;
        int tiles = (queries + most - 1) / most;
        int[] rows = [.. Enumerable.Range(0, tiles).Select(i => (queries + tiles - 1 - i) / tiles)];
        int vectors = rows[0] switch { 1 => 8, 2 or 3 => 4, 4 => 3, _ => 2 };
        return (rows, Math.Min(vectors, RoundUp(columns, target.Lanes(type)) / target.Lanes(type)));
    }

    /// <summary>A number rounded up to a multiple of another.</summary>
    public static int RoundUp(int number, int multiple) => (number + multiple - 1) / multiple * multiple;

    /// <summary>Goes over columns in panels of so many vectors; the last panel may have fewer, and lanes that are off.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="vectors">Vectors per panel.</param>
    /// <param name="lanes">Columns per vector.</param>
    /// <param name="body">Is given the first column, the lanes of a vector, and a mask (or null) for each vector.</param>
    public static void ForEachPanel(KBuilder b, int columns, int vectors, int lanes, Action<KExpr, int, KExpr?[]> body)
    {
        int width = vectors * lanes;
        int whole = columns / width * width;
        b.For("column", 0, whole, width, column => body(column, lanes, new KExpr?[vectors]));
        int rest = columns - whole;
        if (rest == 0)
        {
            return;
        }
        var masks = new KExpr?[(rest + lanes - 1) / lanes];
        if (rest % lanes > 0)
        {
            masks[^1] = b.Let("mask", KBuilder.Less(new KRamp(0, 1, lanes), KBuilder.Broadcast(rest % lanes, lanes)));
        }
        body(whole, lanes, masks);
    }
}
