namespace Graphene.Data;

/// <summary>A place in a dataset, which moves forward and can be saved.</summary>
/// <remarks>One thread at a time uses an iterator.</remarks>
public abstract class DatasetIterator : IDisposable
{
    private const long Format = 1;
    private Literal[]? _current;

    /// <summary>The element it stands at.</summary>
    /// <exception cref="InvalidOperationException">It stands before the first element or behind the last.</exception>
    public Literal[] Current => _current ?? throw new InvalidOperationException("the iterator stands at no element");

    /// <summary>Moves to the next element.</summary>
    /// <returns>False at the end of the pass.</returns>
    public bool MoveNext()
    {
        _current = Next();
        return _current is not null;
    }

    /// <summary>The place behind the present element, to be kept in a checkpoint.</summary>
    /// <returns>A vector of i64.</returns>
    public Literal SavePosition()
    {
        var writer = new PositionWriter();
        writer.Add(Format);
        Save(writer);
        return Literal.From<long>(writer.Numbers, writer.Numbers.Length);
    }

    /// <summary>Goes to a saved place: the next element is the one that followed it.</summary>
    /// <param name="position">What <see cref="SavePosition"/> gave for an iterator of an equal dataset.</param>
    /// <exception cref="GraphException">GR6401: the position belongs to another dataset; make a new iterator then.</exception>
    public void RestorePosition(Literal position)
    {
        if (position.DType != DType.I64 || position.Shape.Rank != 1)
        {
            throw PositionReader.Error($"{position.Type} is no position");
        }
        var reader = new PositionReader(position.As<long>().ToArray());
        reader.Expect(Format, "the format of positions");
        Restore(reader);
        reader.ExpectEnd();
        _current = null;
    }

    /// <summary>Ends the pass.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Computes the next element; null at the end.</summary>
    protected internal abstract Literal[]? Next();

    /// <summary>Writes down the place; what this is built on included.</summary>
    protected internal abstract void Save(PositionWriter writer);

    /// <summary>Goes to the place that was written down.</summary>
    protected internal abstract void Restore(PositionReader reader);

    /// <summary>Frees what the pass holds; what this is built on included.</summary>
    /// <param name="disposing">Whether this was asked for, as always here.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
