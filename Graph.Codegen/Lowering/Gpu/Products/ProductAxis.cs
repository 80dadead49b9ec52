namespace Graphene.Codegen;

/// <summary>One of the four index spaces of a product (batch, rows, columns, depth): a few counters, numbered as one.</summary>
/// <param name="groups">The counters, slowest first; none for a space of one element.</param>
internal sealed class ProductAxis(IReadOnlyList<LoopGroup> groups)
{
    /// <summary>The counters, slowest first.</summary>
    public IReadOnlyList<LoopGroup> Groups => groups;

    /// <summary>How many numbers there are.</summary>
    public Dim Count { get; } = groups.Aggregate((Dim)1, (count, g) => count * g.Extent);

    /// <summary>The fastest counter; null when there is none.</summary>
    public LoopGroup? Fastest => groups.Count > 0 ? groups[^1] : null;

    /// <summary>The counters that a number stands for, slowest first.</summary>
    public KExpr[] Counters(KBuilder b, KExpr number)
    {
        var counters = new KExpr[groups.Count];
        for (int g = groups.Count - 1; g >= 0; g--)
        {
            KExpr extent = KBuilder.Value(groups[g].Extent);
            counters[g] = g == 0 ? number : b.Let("i", KBuilder.Remainder(number, extent));
            number = g == 0 ? number : b.Let("rest", KBuilder.Divide(number, extent));
        }
        return counters;
    }

    /// <summary>What a number adds to the position in an operand.</summary>
    public KExpr Offset(KBuilder b, KExpr number, AffineIndex index) => b.Let("offset", Counters(b, number).Zip(groups).Aggregate(
        (KExpr)0, (at, c) => KBuilder.Add(at, KBuilder.Multiply(c.First, KBuilder.Value(index[c.Second.Last])))));

    /// <summary>Gives the counters the values that a number stands for.</summary>
    public void Bind(ExprEmitter emitter, KExpr number)
    {
        foreach ((KExpr counter, LoopGroup group) in Counters(emitter.Builder, number).Zip(groups))
        {
            emitter.BindGroup(group, counter);
        }
    }

    /// <summary>Gives all counters but the fastest the values that a number stands for, and returns the value of that.</summary>
    public KExpr BindAllButFastest(ExprEmitter emitter, KExpr number)
    {
        KExpr[] counters = Counters(emitter.Builder, number);
        for (int g = 0; g < groups.Count; g++)
        {
            emitter.BindGroup(groups[g], counters[g]);
        }
        return counters[^1];
    }

    /// <summary>
    /// How many neighbours of the fastest counter surely exist together: a power of two, at most
    /// <paramref name="most"/>.
    /// </summary>
    public int Together(int most) => Fastest is { } group ? ProductOperand.Alignment(group.Extent, most) : 1;
}
