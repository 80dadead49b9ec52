using System.Globalization;

namespace Graphene;

/// <summary>Types that fit two calls: sizes in which these differ are symbolic.</summary>
/// <remarks>
/// <c>(f32[32,10], i32[32])</c> and <c>(f32[64,10], i32[64])</c> give <c>(f32[s0,10], i32[s0])</c>: sizes that changed in the same
/// way are taken to be the same size.
/// </remarks>
internal static class SizeGeneralization
{
    /// <summary>The merged types; null when element types, ranks or the numbers of arguments differ.</summary>
    public static TensorType[]? TryMerge(TensorType[] before, TensorType[] now)
    {
        if (before.Length != now.Length)
        {
            return null;
        }
        var symbols = new Dictionary<(Dim, Dim), Dim>();
        var merged = new TensorType[now.Length];
        for (int i = 0; i < merged.Length; i++)
        {
            if (before[i].DType != now[i].DType || before[i].Rank != now[i].Rank)
            {
                return null;
            }
            var dims = new Dim[now[i].Rank];
            for (int axis = 0; axis < dims.Length; axis++)
            {
                dims[axis] = Merge(symbols, before[i].Shape[axis], now[i].Shape[axis]);
            }
            merged[i] = new TensorType(now[i].DType, Shape.From(dims));
        }
        return merged;
    }

    private static Dim Merge(Dictionary<(Dim, Dim), Dim> symbols, Dim before, Dim now)
    {
        if (before == now && before.IsStatic)
        {
            return now;
        }
        if (!symbols.TryGetValue((before, now), out Dim symbol))
        {
            // A size of zero stays one of its own kind: 0 is the least value only when it was there.
            long least = Math.Min(Math.Min(before.Range.Min, now.Range.Min), 1);
            symbol = Dim.Symbol(string.Create(CultureInfo.InvariantCulture, $"s{symbols.Count}"), least);
            symbols.Add((before, now), symbol);
        }
        return symbol;
    }
}
