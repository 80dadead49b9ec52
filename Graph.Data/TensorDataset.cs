namespace Graphene.Data;

/// <summary>The rows of tensors in memory.</summary>
internal sealed class TensorDataset : IndexedDataset
{
    private readonly Literal[] _tensors;
    private readonly TensorType[] _rows;

    public TensorDataset(Literal[] tensors)
    {
        if (tensors.Length == 0 || Array.Exists(tensors, t => t.Type.Rank == 0))
        {
            throw Error("there is no tensor, or one is a scalar and has no rows");
        }
        long count = tensors[0].Shape[0].Value;
        if (Array.Exists(tensors, t => t.Shape[0].Value != count))
        {
            throw Error($"their first dimensions differ: {string.Join(", ", tensors.Select(t => t.Type))}");
        }
        _tensors = tensors;
        _rows = Array.ConvertAll(tensors, t => new TensorType(t.DType, Shape.Of(t.Shape.ToStatic().AsSpan(1))));
        Length = checked((int)count);
    }

    public override int Length { get; }

    public override Literal[] Get(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
        var element = new Literal[_tensors.Length];
        for (int i = 0; i < element.Length; i++)
        {
            int size = RowBytes(i);
            element[i] = new Literal(_rows[i], _tensors[i].Bytes.Slice(index * size, size)); // nothing is copied
        }
        return element;
    }

    public override Literal[] Gather(ReadOnlySpan<int> indices)
    {
        var batch = new Literal[_tensors.Length];
        for (int i = 0; i < batch.Length; i++)
        {
            int size = RowBytes(i);
            ReadOnlySpan<byte> source = _tensors[i].Bytes.Span;
            byte[] bytes = GC.AllocateUninitializedArray<byte>(checked(indices.Length * size));
            for (int row = 0; row < indices.Length; row++)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)indices[row], (uint)Length, nameof(indices));
                source.Slice(indices[row] * size, size).CopyTo(bytes.AsSpan(row * size));
            }
            batch[i] = new Literal(Stacking.Stacked(_rows[i], indices.Length), bytes);
        }
        return batch;
    }

    // Rows times their size is the length of memory that is there, so offsets never overflow.
    private int RowBytes(int tensor) => Length == 0 ? 0 : _tensors[tensor].Bytes.Length / Length;

    private static GraphException Error(string problem) => new(
        DataDiagnostics.BadComponents, $"dataset of tensors: {problem}",
        why: "element i consists of row i of each tensor", fix: "pass tensors with equally many rows, such as images and their labels");
}
