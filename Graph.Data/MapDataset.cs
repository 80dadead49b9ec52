namespace Graphene.Data;

/// <summary>Each element turned into another.</summary>
internal sealed class MapDataset(Dataset source, Func<Literal[], Literal[]> map) : Dataset
{
    public override long? Count => source.Count;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(source.Iterate(epoch), map);

    private sealed class Iterator(DatasetIterator source, Func<Literal[], Literal[]> map) : WrappingIterator(3, source)
    {
        protected internal override Literal[]? Next() => Source.MoveNext() ? map(Source.Current) : null;
    }
}
