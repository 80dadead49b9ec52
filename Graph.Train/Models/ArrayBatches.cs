namespace Graphene.Train;

/// <summary>Rows of tensors in batches, in another order in each epoch.</summary>
internal sealed class ArrayBatches
{
    private readonly Literal[] _tensors;
    private readonly int _batchSize;
    private readonly long? _seed;
    private readonly bool _dropRemainder;

    /// <summary>Batches of the rows of tensors.</summary>
    /// <param name="tensors">Tensors with as many rows each.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="seed">Decides the order together with the epoch; null for the order of the rows.</param>
    /// <param name="dropRemainder">Whether a smaller last batch is left out.</param>
    public ArrayBatches(Literal[] tensors, int batchSize, long? seed, bool dropRemainder)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        _tensors = tensors;
        _batchSize = batchSize;
        _seed = seed;
        _dropRemainder = dropRemainder;
        bool isAligned = tensors.All(t => t.Shape.Rank > 0 && t.Shape[0] == tensors[0].Shape[0]);
        Rows = isAligned
            ? (int)tensors[0].Shape[0].Value
            : throw new GraphException(
                TrainDiagnostics.BadTrainingData, $"tensors {string.Join(", ", tensors.Select(t => t.Type))} have different numbers of rows",
                why: "row i of each belongs to example i", fix: "pass one row for each example in every tensor");
    }

    /// <summary>The number of examples.</summary>
    public int Rows { get; }

    /// <summary>The number of batches of an epoch.</summary>
    public int Count => (Rows + (_dropRemainder ? 0 : _batchSize - 1)) / _batchSize;

    /// <summary>The batches of an epoch.</summary>
    public IEnumerable<Literal[]> Epoch(long epoch)
    {
        int[] order = Order(epoch);
        for (int batch = 0; batch < Count; batch++)
        {
            int start = batch * _batchSize;
            int rows = Math.Min(_batchSize, Rows - start);
            yield return Array.ConvertAll(_tensors, t => Take(t, order.AsSpan(start, rows)));
        }
    }

    private static Literal Take(Literal tensor, ReadOnlySpan<int> rows)
    {
        var type = new TensorType(tensor.DType, tensor.Shape.With(0, rows.Length));
        int rowBytes = tensor.Shape[0].Value == 0 ? 0 : (int)(tensor.Bytes.Length / tensor.Shape[0].Value);
        var bytes = new byte[rows.Length * rowBytes];
        for (int i = 0; i < rows.Length; i++)
        {
            tensor.Bytes.Span.Slice(rows[i] * rowBytes, rowBytes).CopyTo(bytes.AsSpan(i * rowBytes));
        }
        return new Literal(type, bytes);
    }

    // Fisher and Yates' shuffle; a number below n is the upper half of its product with n.
    private int[] Order(long epoch)
    {
        int[] order = [.. Enumerable.Range(0, Rows)];
        if (_seed is not { } seed)
        {
            return order;
        }
        var random = new RandomStream(RandomStream.KeyOf(seed, $"order of epoch {epoch}"));
        for (int i = Rows - 1; i > 0; i--)
        {
            int other = (int)(((ulong)random.NextWord() * (ulong)(i + 1)) >> 32);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }
}
