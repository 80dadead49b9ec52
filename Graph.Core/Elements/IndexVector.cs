using System.Collections;

namespace Graphene;

/// <summary>An index into a tensor: one i64 expression per dimension, outermost first.</summary>
public sealed class IndexVector : IReadOnlyList<ScalarExpr>
{
    private readonly ScalarExpr[] _items;

    private IndexVector(ScalarExpr[] items) => _items = items;

    /// <summary>The index of a scalar's only element.</summary>
    public static IndexVector Scalar { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public ScalarExpr this[int index] => _items[index];

    /// <summary>Copies the expressions into an index.</summary>
    public static IndexVector From(IEnumerable<ScalarExpr> items) => new([.. items]);

    /// <summary>The index whose entry i is entry <c>order[i]</c> of this one.</summary>
    public IndexVector Permute(Axes order) => From(order.Select(i => _items[i]));

    /// <summary>The index with one entry replaced.</summary>
    public IndexVector With(int position, ScalarExpr item)
    {
        ScalarExpr[] items = [.. _items];
        items[position] = item;
        return new(items);
    }

    /// <inheritdoc/>
    public IEnumerator<ScalarExpr> GetEnumerator() => ((IEnumerable<ScalarExpr>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();
}
