using System.Collections;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>An immutable list of dimension numbers that compares by value.</summary>
[CollectionBuilder(typeof(Axes), nameof(Create))]
public sealed class Axes : IReadOnlyList<int>, IEquatable<Axes>
{
    private readonly int[] _items;

    private Axes(int[] items) => _items = items;

    /// <summary>No axes.</summary>
    public static Axes Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <summary>True when entry i is i: the permutation that changes nothing.</summary>
    public bool IsIdentity => _items.Select((axis, i) => axis == i).All(same => same);

    /// <inheritdoc/>
    public int this[int index] => _items[index];

    /// <summary>Copies the axes into a list.</summary>
    public static Axes Create(ReadOnlySpan<int> items) => items.IsEmpty ? Empty : new(items.ToArray());

    /// <summary>Copies the axes into a list.</summary>
    public static Axes From(IEnumerable<int> items) => new([.. items]);

    /// <summary>The axes 0, 1, ..., <paramref name="count"/> - 1.</summary>
    public static Axes Range(int count) => new([.. Enumerable.Range(0, count)]);

    /// <summary>The axes <paramref name="start"/>, ..., <paramref name="start"/> + <paramref name="count"/> - 1.</summary>
    public static Axes Range(int start, int count) => new([.. Enumerable.Range(start, count)]);

    /// <summary>True when every axis of 0..<paramref name="rank"/>-1 is listed exactly once.</summary>
    public bool IsPermutationOf(int rank)
    {
        if (_items.Length != rank)
        {
            return false;
        }
        return AreUniqueBelow(rank);
    }

    /// <summary>True when all axes are in 0..<paramref name="rank"/>-1 and none occurs twice.</summary>
    public bool AreUniqueBelow(int rank)
    {
        var seen = new bool[rank];
        foreach (int axis in _items)
        {
            if (axis < 0 || axis >= rank || seen[axis])
            {
                return false;
            }
            seen[axis] = true;
        }
        return true;
    }

    /// <summary>The permutation p with <c>p[this[i]] = i</c>.</summary>
    public Axes Inverse()
    {
        var inverse = new int[_items.Length];
        for (int i = 0; i < inverse.Length; i++)
        {
            inverse[_items[i]] = i;
        }
        return new(inverse);
    }

    /// <summary>The list whose entry i is entry <c>order[i]</c> of this one.</summary>
    public Axes Permute(Axes order) => From(order.Select(i => _items[i]));

    /// <summary>The axes of 0..<paramref name="rank"/>-1 that are not listed here, ascending.</summary>
    public Axes Complement(int rank) => From(Enumerable.Range(0, rank).Where(axis => !Contains(axis)));

    /// <summary>True when <paramref name="axis"/> is listed.</summary>
    public bool Contains(int axis) => Array.IndexOf(_items, axis) >= 0;

    /// <summary>The position of <paramref name="axis"/>, or -1.</summary>
    public int IndexOf(int axis) => Array.IndexOf(_items, axis);

    /// <summary>The axes as a span.</summary>
    public ReadOnlySpan<int> AsSpan() => _items;

    /// <inheritdoc/>
    public bool Equals(Axes? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Axes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_items.AsSpan()));
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    /// <summary>The axes in brackets, as in IR text.</summary>
    public override string ToString() => $"[{string.Join(",", _items)}]";
}
