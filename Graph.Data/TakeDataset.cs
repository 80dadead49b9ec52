namespace Graphene.Data;

/// <summary>The first elements.</summary>
internal sealed class TakeDataset : Dataset
{
    private readonly Dataset _source;
    private readonly long _count;

    public TakeDataset(Dataset source, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _source = source;
        _count = count;
    }

    // Of a source whose count is not known it may be fewer.
    public override long? Count => _source.Count is { } count ? Math.Min(count, _count) : null;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(_source.Iterate(epoch), _count);

    private sealed class Iterator(DatasetIterator source, long count) : DatasetIterator
    {
        private const long Tag = 5;
        private long _taken;

        protected internal override Literal[]? Next()
        {
            if (_taken == count || !source.MoveNext())
            {
                return null;
            }
            _taken++;
            return source.Current;
        }

        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            writer.Add(_taken);
            source.Save(writer);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            _taken = reader.Next("the number of elements that were taken", 0, count);
            source.Restore(reader);
        }

        protected override void Dispose(bool disposing)
        {
            source.Dispose();
            base.Dispose(disposing);
        }
    }
}
