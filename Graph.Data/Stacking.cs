namespace Graphene.Data;

/// <summary>Makes batches of elements.</summary>
internal static class Stacking
{
    /// <summary>The type of so many tensors of a type, one behind the other.</summary>
    public static TensorType Stacked(TensorType type, int count) =>
        new(type.DType, Shape.Of([count, .. type.Shape.ToStatic()]));

    /// <summary>Elements of the same types as one element.</summary>
    /// <exception cref="GraphException">GR6402: their types differ.</exception>
    public static Literal[] Stack(IReadOnlyList<Literal[]> elements)
    {
        var batch = new Literal[elements[0].Length];
        for (int i = 0; i < batch.Length; i++)
        {
            TensorType type = elements[0][i].Type;
            int size = elements[0][i].Bytes.Length;
            byte[] bytes = GC.AllocateUninitializedArray<byte>(checked(elements.Count * size));
            for (int row = 0; row < elements.Count; row++)
            {
                if (elements[row].Length != batch.Length || !elements[row][i].Type.Equals(type))
                {
                    throw new GraphException(
                        DataDiagnostics.BadComponents,
                        $"batch: element {row} is ({string.Join(", ", elements[row].Select(t => t.Type))}), "
                        + $"the first is ({string.Join(", ", elements[0].Select(t => t.Type))})",
                        why: "the elements of a batch have the same shapes", fix: "pad or crop them with Map before Batch");
                }
                elements[row][i].Bytes.Span.CopyTo(bytes.AsSpan(row * size));
            }
            batch[i] = new Literal(Stacked(type, elements.Count), bytes);
        }
        return batch;
    }
}
