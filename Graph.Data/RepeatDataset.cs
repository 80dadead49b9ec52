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

    private sealed class Iterator(Dataset repeated, long? rounds, long epoch) : WrappingIterator(4, repeated.Iterate(epoch))
    {
        private long _firstEpoch = epoch;
        private long _round;
        private bool _found; // whether this round had an element: an empty source would repeat for ever

        protected internal override Literal[]? Next()
        {
            while (_round < (rounds ?? long.MaxValue))
            {
                if (Source.MoveNext())
                {
                    _found = true;
                    return Source.Current;
                }
                if (!_found)
                {
                    return null;
                }
                Begin(_round + 1);
            }
            return null;
        }

        protected override void SaveOwn(PositionWriter writer)
        {
            writer.Add(_firstEpoch);
            writer.Add(_round);
            writer.Add(_found ? 1 : 0);
        }

        protected override void RestoreOwn(PositionReader reader)
        {
            _firstEpoch = reader.Next("the first epoch");
            Begin(reader.Next("the number of passes", 0, rounds ?? long.MaxValue));
            _found = reader.Next("whether the pass had an element", 0, 1) == 1;
        }

        private void Begin(long round)
        {
            Source.Dispose();
            _round = round;
            _found = false;
            Source = repeated.Iterate(unchecked(_firstEpoch + round));
        }
    }
}
