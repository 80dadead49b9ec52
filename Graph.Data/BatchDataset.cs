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

    private sealed class Iterator(DatasetIterator source, int size, bool dropRemainder) : DatasetIterator
    {
        private const long Tag = 2;

        protected internal override Literal[]? Next()
        {
            if (source is IndexedIterator indexed)
            {
                return indexed.NextBatch(size, dropRemainder); // rows go straight to their place
            }
            var elements = new List<Literal[]>(size);
            while (elements.Count < size && source.MoveNext())
            {
                elements.Add(source.Current);
            }
            return elements.Count == 0 || (dropRemainder && elements.Count < size) ? null : Stacking.Stack(elements);
        }

        // The size may change when a training goes on: the place is counted in elements.
        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            source.Save(writer);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            source.Restore(reader);
        }

        protected override void Dispose(bool disposing)
        {
            source.Dispose();
            base.Dispose(disposing);
        }
    }
}
