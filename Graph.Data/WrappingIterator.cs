namespace Graphene.Data;

/// <summary>
/// An iterator over what others give. Its place is the kind of dataset, what it adds itself, and the places of the others, in
/// this order.
/// </summary>
/// <param name="tag">The kind of dataset; a place is restored into the same kind only.</param>
/// <param name="sources">What it is built on; it disposes them.</param>
internal abstract class WrappingIterator(long tag, params DatasetIterator[] sources) : DatasetIterator
{
    /// <summary>What it is built on first; another one may take its place.</summary>
    protected DatasetIterator Source
    {
        get => sources[0];
        set => sources[0] = value;
    }

    /// <summary>Writes down what it adds to the places of its sources.</summary>
    protected virtual void SaveOwn(PositionWriter writer)
    {
    }

    /// <summary>Reads what <see cref="SaveOwn"/> wrote.</summary>
    protected virtual void RestoreOwn(PositionReader reader)
    {
    }

    protected internal sealed override void Save(PositionWriter writer)
    {
        writer.Add(tag);
        SaveOwn(writer);
        Array.ForEach(sources, source => source.Save(writer));
    }

    protected internal sealed override void Restore(PositionReader reader)
    {
        reader.Expect(tag, "the kind of dataset");
        RestoreOwn(reader);
        Array.ForEach(sources, source => source.Restore(reader));
    }

    protected override void Dispose(bool disposing)
    {
        Array.ForEach(sources, source => source.Dispose());
        base.Dispose(disposing);
    }
}
