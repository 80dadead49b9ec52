namespace Graphene.Data;

/// <summary>Elements in groups.</summary>
internal sealed class BatchDataset : Dataset
{
    private readonly Dataset _source;
    private readonly int _size;
    private readonly bool _dropRemainder;

    public BatchDataset(Dataset source, int size, bool dropRemainder)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _source = source;
        _size = size;
        _dropRemainder = dropRemainder;
    }

    public override long? Count => _source.Count is { } count ? (count + (_dropRemainder ? 0 : _size - 1)) / _size : null;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(_source.Iterate(epoch), _size, _dropRemainder);

    // The size may change when a training goes on: the place is counted in elements.
    private sealed class Iterator(DatasetIterator source, int size, bool dropRemainder) : WrappingIterator(2, source)
    {
        protected internal override Literal[]? Next()
        {
            if (Source is IndexedIterator indexed)
            {
                return indexed.NextBatch(size, dropRemainder); // rows go straight to their place
            }
            var elements = new List<Literal[]>(size);
            while (elements.Count < size && Source.MoveNext())
            {
                elements.Add(Source.Current);
            }
            return elements.Count == 0 || (dropRemainder && elements.Count < size) ? null : Stacking.Stack(elements);
        }
    }
}
