namespace Graphene.Codegen;

/// <content>Steps that take several k at once.</content>
internal sealed partial class RegisterTile
{
    /// <summary>One step over a group of consecutive k of narrow elements.</summary>
    /// <param name="a">The group of a row, repeated for each lane.</param>
    /// <param name="b">The groups of a vector of columns.</param>
    public void AccumulateGroups(Func<int, KExpr> a, Func<int, KExpr> b)
    {
        KExpr[] columns = [.. Enumerable.Range(0, Vectors).Select(j => _b.Let("b", b(j)))];
        for (int i = 0; i < Rows; i++)
        {
            KExpr row = _b.Let("a", a(i));
            for (int j = 0; j < Vectors; j++)
            {
                _b.Assign(_sums[i, j], new KDot(new KRead(_sums[i, j]), row, columns[j]));
            }
        }
    }
}
