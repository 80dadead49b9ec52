namespace Graphene.Data;

/// <summary>What a function gives.</summary>
internal sealed class GeneratedDataset(Func<long, IEnumerable<Literal[]>> elements, long? count) : Dataset
{
    public override long? Count => count;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(elements, epoch);

    private sealed class Iterator(Func<long, IEnumerable<Literal[]>> elements, long firstEpoch) : DatasetIterator
    {
        private const long Tag = 7;
        private long _epoch = firstEpoch;
        private IEnumerator<Literal[]>? _inner;
        private long _taken;

        protected internal override Literal[]? Next()
        {
            _inner ??= elements(_epoch).GetEnumerator();
            if (!_inner.MoveNext())
            {
                return null;
            }
            _taken++;
            return _inner.Current;
        }

        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            writer.Add(_epoch);
            writer.Add(_taken);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            _epoch = reader.Next("the epoch");
            long taken = reader.Next("the number of elements that were read", 0);
            _inner?.Dispose();
            _inner = null;
            _taken = 0;
            while (_taken < taken)
            {
                if (Next() is null)
                {
                    throw PositionReader.Error($"{taken} elements were read, but the source gives only {_taken}");
                }
            }
        }

        protected override void Dispose(bool disposing)
        {
            _inner?.Dispose();
            base.Dispose(disposing);
        }
    }
}
