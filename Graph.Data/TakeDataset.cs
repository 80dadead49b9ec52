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

    private sealed class Iterator(DatasetIterator source, long count) : WrappingIterator(5, source)
    {
        private long _taken;

        protected internal override Literal[]? Next()
        {
            if (_taken == count || !Source.MoveNext())
            {
                return null;
            }
            _taken++;
            return Source.Current;
        }

        protected override void SaveOwn(PositionWriter writer) => writer.Add(_taken);

        protected override void RestoreOwn(PositionReader reader) =>
            _taken = reader.Next("the number of elements that were taken", 0, count);
    }
}
