namespace Graphene.Data;

/// <summary>The elements of two datasets side by side.</summary>
internal sealed class ZipDataset(Dataset first, Dataset second) : Dataset
{
    public override long? Count => first.Count is { } a
        ? second.Count is { } b ? Math.Min(a, b) : null
        : null;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(first.Iterate(epoch), second.Iterate(epoch));

    private sealed class Iterator(DatasetIterator first, DatasetIterator second) : WrappingIterator(6, first, second)
    {
        protected internal override Literal[]? Next() =>
            first.MoveNext() && second.MoveNext() ? [.. first.Current, .. second.Current] : null;
    }
}
