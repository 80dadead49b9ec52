namespace Graphene.Interop.Onnx.Operators;

/// <summary>The gathers that most operators need, as extension methods of the builder.</summary>
internal static class Taking
{
    /// <summary>Element by element: result[i, j, k] = data[i, indices[i, j, k], k] for axis 1.</summary>
    /// <remarks>Indices must not be negative. Along the other axes the indices may have fewer elements than the data.</remarks>
    public static Node TakeAlong(this GraphBuilder b, Node data, Node indices, int axis)
    {
        Node cut = data;
        for (int other = 0; other < data.Rank; other++)
        {
            if (other != axis && data.Shape[other].ProvablyDiffers(indices.Shape[other]))
            {
                cut = b.SliceDimension(cut, other, 0, indices.Shape[other]);
            }
        }
        Axes others = Axes.Create([axis]).Complement(data.Rank);
        var dimensions = new GatherDimensions([], [axis], others, others, [axis], indices.Rank);
        return b.Gather(cut, indices, dimensions, ValueList.Repeat<Dim>(1, data.Rank));
    }

    /// <summary>Indices counted from the end where they are negative.</summary>
    public static Node FromEnd(this GraphBuilder b, Node indices, Dim extent)
    {
        if (indices.Op is ConstantOp { Value: var known } && AllAtLeastZero(known))
        {
            return indices;
        }
        if (indices.DType.IsUnsignedInteger())
        {
            return indices;
        }
        Node moved = b.Add(indices, Importing.DimNodes.Splat(b, extent, indices.DType, indices.Shape));
        return b.Select(b.Less(indices, Importing.OnnxBroadcasting.Like(b, indices, 0)), moved, indices);
    }

    private static bool AllAtLeastZero(Literal literal)
    {
        for (long i = 0; i < literal.ElementCount; i++)
        {
            if (literal[i].AsInteger < 0)
            {
                return false;
            }
        }
        return true;
    }
}
