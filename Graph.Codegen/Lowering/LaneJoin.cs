namespace Graphene.Codegen;

/// <summary>Makes one value of a vector's lanes: the first half is combined with the second, again and again.</summary>
internal static class LaneJoin
{
    /// <summary>Writes the instructions.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="value">A power of two of lanes.</param>
    /// <param name="combine">Is given the first half and the second.</param>
    public static KExpr Emit(KBuilder b, KExpr value, Func<KExpr, KExpr, KExpr> combine)
    {
        value = b.Let("lanes", value);
        for (int half = value.Type.Lanes / 2; half >= 1; half /= 2)
        {
            KExpr low = new KShuffle(value, Enumerable.Range(0, half).ToValueList());
            KExpr high = new KShuffle(value, Enumerable.Range(half, half).ToValueList());
            value = b.Let("joined", combine(low, high));
        }
        return value;
    }
}
