namespace Graphene.Data;

/// <summary>Several passes one after the other, each with the next epoch's number.</summary>
internal sealed class RepeatDataset : Dataset
{
    private readonly Dataset _source;
    private readonly long? _rounds;

    public RepeatDataset(Dataset source, long? rounds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rounds ?? 0, nameof(rounds));
        _source = source;
        _rounds = rounds;
    }

    public override long? Count => _rounds is { } rounds && _source.Count is { } count ? checked(rounds * count) : null;

    // Epochs of what is repeated so often go on from those of the pass before.
    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(_source, _rounds, checked(epoch * (_rounds ?? 0)));

    private sealed class Iterator(Dataset source, long? rounds, long epoch) : DatasetIterator
    {
        private const long Tag = 4;
        private long _firstEpoch = epoch;
        private DatasetIterator _inner = source.Iterate(epoch);
        private long _round;
        private bool _found; // whether this round had an element: an empty source would repeat for ever

        protected internal override Literal[]? Next()
        {
            while (_round < (rounds ?? long.MaxValue))
            {
                if (_inner.MoveNext())
                {
                    _found = true;
                    return _inner.Current;
                }
                if (!_found)
                {
                    return null;
                }
                Begin(_round + 1);
            }
            return null;
        }

        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            writer.Add(_firstEpoch);
            writer.Add(_round);
            writer.Add(_found ? 1 : 0);
            _inner.Save(writer);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            _firstEpoch = reader.Next("the first epoch");
            Begin(reader.Next("the number of passes", 0, rounds ?? long.MaxValue));
            _found = reader.Next("whether the pass had an element", 0, 1) == 1;
            _inner.Restore(reader);
        }

        protected override void Dispose(bool disposing)
        {
            _inner.Dispose();
            base.Dispose(disposing);
        }

        private void Begin(long round)
        {
            _inner.Dispose();
            _round = round;
            _found = false;
            _inner = source.Iterate(unchecked(_firstEpoch + round));
        }
    }
}
