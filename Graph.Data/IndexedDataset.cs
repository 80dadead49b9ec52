namespace Graphene.Data;

/// <summary>A dataset whose elements can be read in any order.</summary>
public abstract class IndexedDataset : Dataset
{
    /// <summary>The number of elements.</summary>
    public abstract int Length { get; }

    /// <inheritdoc/>
    public sealed override long? Count => Length;

    /// <summary>The element with a number.</summary>
    public abstract Literal[] Get(int index);

    /// <summary>Several elements as one batch.</summary>
    /// <param name="indices">Their numbers.</param>
    public virtual Literal[] Gather(ReadOnlySpan<int> indices)
    {
        var elements = new Literal[indices.Length][];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = Get(indices[i]);
        }
        return Stacking.Stack(elements);
    }

    /// <summary>The elements in another order in each epoch, which seed and epoch alone decide.</summary>
    /// <remarks>A permutation of the whole (Fisher and Yates), so that every element comes once an epoch.</remarks>
    /// <param name="seed">Another seed gives other orders.</param>
    public Dataset Shuffle(long seed) => new ShuffledDataset(this, seed);

    /// <summary>Some consecutive elements.</summary>
    /// <param name="start">The first.</param>
    /// <param name="count">How many.</param>
    public IndexedDataset Range(int start, int count) => new RangeDataset(this, start, count);

    /// <inheritdoc/>
    public override DatasetIterator Iterate(long epoch = 0) => new IndexedIterator(this, null, epoch);
}

/// <summary>Elements in the order of a permutation that seed and epoch decide.</summary>
internal sealed class ShuffledDataset(IndexedDataset source, long seed) : Dataset
{
    public override long? Count => source.Count;

    public override DatasetIterator Iterate(long epoch = 0) => new IndexedIterator(source, seed, epoch);
}

/// <summary>A part of an indexed dataset.</summary>
internal sealed class RangeDataset : IndexedDataset
{
    private readonly IndexedDataset _source;
    private readonly int _start;

    public RangeDataset(IndexedDataset source, int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)start + count, source.Length, nameof(count));
        _source = source;
        _start = start;
        Length = count;
    }

    public override int Length { get; }

    public override Literal[] Get(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
        return _source.Get(_start + index);
    }

    public override Literal[] Gather(ReadOnlySpan<int> indices)
    {
        int[] moved = indices.ToArray();
        foreach (ref int index in moved.AsSpan())
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(indices));
            index += _start;
        }
        return _source.Gather(moved);
    }
}
