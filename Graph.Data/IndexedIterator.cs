namespace Graphene.Data;

/// <summary>Goes through an indexed dataset, in its order or in a shuffled one.</summary>
internal sealed class IndexedIterator : DatasetIterator
{
    private const long Tag = 1;
    private readonly IndexedDataset _source;
    private readonly long? _seed;
    private long _epoch;
    private int[]? _order; // null for the natural order
    private int _next;

    public IndexedIterator(IndexedDataset source, long? seed, long epoch)
    {
        _source = source;
        _seed = seed;
        Begin(epoch);
    }

    /// <summary>The next elements as one batch: at most so many, null at the end.</summary>
    public Literal[]? NextBatch(int size, bool dropRemainder)
    {
        int count = Math.Min(size, _source.Length - _next);
        if (count == 0 || (dropRemainder && count < size))
        {
            _next = _source.Length;
            return null;
        }
        Span<int> indices = new int[count];
        for (int i = 0; i < count; i++)
        {
            indices[i] = At(_next + i);
        }
        _next += count;
        return _source.Gather(indices);
    }

    protected internal override Literal[]? Next() => _next < _source.Length ? _source.Get(At(_next++)) : null;

    protected internal override void Save(PositionWriter writer)
    {
        writer.Add(Tag);
        writer.Add(_source.Length);
        writer.Add(_seed is null ? 0 : 1);
        writer.Add(_seed ?? 0);
        writer.Add(_epoch);
        writer.Add(_next);
    }

    protected internal override void Restore(PositionReader reader)
    {
        reader.Expect(Tag, "the kind of dataset");
        reader.Expect(_source.Length, "the number of elements");
        reader.Expect(_seed is null ? 0 : 1, "whether it is shuffled (1) or not (0)");
        reader.Expect(_seed ?? 0, "the seed");
        long epoch = reader.Next("the epoch");
        int next = (int)reader.Next("the number of elements that were read", 0, _source.Length);
        if (epoch != _epoch)
        {
            Begin(epoch);
        }
        _next = next;
    }

    private void Begin(long epoch)
    {
        _epoch = epoch;
        _next = 0;
        _order = _seed is { } seed ? Permutation.Of(_source.Length, seed, epoch) : null;
    }

    private int At(int place) => _order is null ? place : _order[place];
}
