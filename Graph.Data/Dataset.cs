using System.Collections;

namespace Graphene.Data;

/// <summary>A sequence of elements, each a few tensors: images and labels, say, one by one or in batches.</summary>
/// <remarks>
/// <para>
/// A dataset is a recipe and holds no place; <see cref="Iterate"/> makes an iterator, which does. Every pass over a dataset is
/// an epoch: the same number gives the same elements in the same order, on any machine.
/// </para>
/// <para>
/// New kinds of datasets derive from this class; an iterator that can save its place makes everything that is built on it
/// resumable.
/// </para>
/// </remarks>
public abstract class Dataset : IEnumerable<Literal[]>
{
    /// <summary>The number of elements of one pass; null when it is not known, or there is no end.</summary>
    public abstract long? Count { get; }

    /// <summary>A dataset of the slices of tensors along their first dimension: element i is row i of each.</summary>
    /// <exception cref="GraphException">GR6402: there is no tensor, one is a scalar, or the first dimensions differ.</exception>
    public static IndexedDataset FromTensors(params ReadOnlySpan<Literal> tensors) => new TensorDataset(tensors.ToArray());

    /// <summary>A dataset of what a function gives, for sources of any kind.</summary>
    /// <param name="elements">
    /// Gives the elements of an epoch, always the same for the same number. Resuming goes through them again up to the saved place.
    /// </param>
    /// <param name="count">How many there are, when that is known.</param>
    public static Dataset Generate(Func<long, IEnumerable<Literal[]>> elements, long? count = null) =>
        new GeneratedDataset(elements, count);

    /// <summary>Begins a pass.</summary>
    /// <param name="epoch">Which one: shuffled data has another order in each.</param>
    /// <returns>An iterator before its first element, to be disposed.</returns>
    public abstract DatasetIterator Iterate(long epoch = 0);

    /// <summary>Groups elements: each tensor gets a new first dimension, the batch.</summary>
    /// <param name="size">Elements of a batch.</param>
    /// <param name="dropRemainder">Whether a last batch that is smaller is left out, so that all shapes are equal.</param>
    public Dataset Batch(int size, bool dropRemainder = false) => new BatchDataset(this, size, dropRemainder);

    /// <summary>Turns each element into another.</summary>
    /// <param name="map">Gives the new tensors; called once for each element, in order, and must depend on it alone.</param>
    public Dataset Map(Func<Literal[], Literal[]> map) => new MapDataset(this, map);

    /// <summary>Goes through the data again and again, each time as the next epoch.</summary>
    /// <param name="count">How many passes; null for no end.</param>
    public Dataset Repeat(long? count = null) => new RepeatDataset(this, count);

    /// <summary>The first elements.</summary>
    /// <param name="count">How many at most.</param>
    public Dataset Take(long count) => new TakeDataset(this, count);

    /// <summary>The elements of this and another dataset side by side, as long as both have some.</summary>
    public Dataset Zip(Dataset other) => new ZipDataset(this, other);

    /// <summary>Reads ahead on a thread of its own.</summary>
    /// <param name="count">The most elements that are ready and not taken yet.</param>
    public Dataset Prefetch(int count = 2) => new PrefetchDataset(this, count);

    /// <summary>The elements of epoch 0.</summary>
    public IEnumerator<Literal[]> GetEnumerator()
    {
        using DatasetIterator iterator = Iterate();
        while (iterator.MoveNext())
        {
            yield return iterator.Current;
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
