namespace Graphene.Data;

/// <summary>The elements of two datasets side by side.</summary>
internal sealed class ZipDataset(Dataset first, Dataset second) : Dataset
{
    public override long? Count => first.Count is { } a
        ? second.Count is { } b ? Math.Min(a, b) : null
        : null;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(first.Iterate(epoch), second.Iterate(epoch));

    private sealed class Iterator(DatasetIterator first, DatasetIterator second) : DatasetIterator
    {
        private const long Tag = 6;

        protected internal override Literal[]? Next() =>
            first.MoveNext() && second.MoveNext() ? [.. first.Current, .. second.Current] : null;

        protected internal override void Save(PositionWriter writer)
        {
            writer.Add(Tag);
            first.Save(writer);
            second.Save(writer);
        }

        protected internal override void Restore(PositionReader reader)
        {
            reader.Expect(Tag, "the kind of dataset");
            first.Restore(reader);
            second.Restore(reader);
        }

        protected override void Dispose(bool disposing)
        {
            first.Dispose();
            second.Dispose();
            base.Dispose(disposing);
        }
    }
}
