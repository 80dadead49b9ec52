namespace Graphene.Data;

/// <summary>Each element turned into another.</summary>
internal sealed class MapDataset(Dataset source, Func<Literal[], Literal[]> map) : Dataset
{
    public override long? Count => source.Count;

    public override DatasetIterator Iterate(long epoch = 0) => new Iterator(source.Iterate(epoch), map);

    private sealed class Iterator(DatasetIterator source, Func<Literal[], Literal[]> map) : DatasetIterator
    {
        private const long Tag = 3;

        protected internal override Literal[]? Next() => source.MoveNext() ? map(source.Current) : null;

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
