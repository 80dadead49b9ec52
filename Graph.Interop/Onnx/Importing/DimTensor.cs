namespace Graphene.Interop.Onnx.Importing;

/// <summary>A small integer or truth tensor whose elements are known as dimensions: numbers or symbolic expressions.</summary>
/// <remarks>
/// Exporters compute shapes with tensor operators: Shape, Gather, Concat, Reshape. Following their values keeps the shapes
/// exact and symbolic, and the operators never reach the graph unless something uses their results as data.
/// </remarks>
/// <param name="Type">The element type; truth values are the numbers 0 and 1.</param>
/// <param name="Extents">The static shape.</param>
/// <param name="Elements">The elements, row-major.</param>
internal sealed record DimTensor(OnnxDataType Type, int[] Extents, Dim[] Elements)
{
    /// <summary>Tensors with more elements are data, not shapes.</summary>
    public const int MaxElements = 1024;

    /// <summary>True when every element is a number.</summary>
    public bool IsStatic => Array.TrueForAll(Elements, e => e.IsStatic);

    /// <summary>The number of dimensions.</summary>
    public int Rank => Extents.Length;

    /// <summary>A scalar.</summary>
    public static DimTensor Scalar(OnnxDataType type, Dim value) => new(type, [], [value]);

    /// <summary>A vector.</summary>
    public static DimTensor Vector(OnnxDataType type, params Dim[] values) => new(type, [values.Length], values);

    /// <summary>True for element types that a dim can stand for.</summary>
    public static bool Accepts(OnnxDataType type) => type is
        OnnxDataType.Int64 or OnnxDataType.Int32 or OnnxDataType.Int16 or OnnxDataType.Int8 or OnnxDataType.Bool or
        OnnxDataType.UInt8 or OnnxDataType.UInt16 or OnnxDataType.UInt32;

    /// <summary>The elements of a literal, or null when it is too large or not of integers.</summary>
    public static DimTensor? FromLiteral(OnnxDataType type, Literal literal)
    {
        if (!Accepts(type) || literal.ElementCount > MaxElements)
        {
            return null;
        }
        var elements = new Dim[literal.ElementCount];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = (long)literal[i].AsInteger;
        }
        return new DimTensor(type, [.. literal.Shape.ToStatic().Select(e => (int)e)], elements);
    }

    /// <summary>The elements as a literal of a storage type; only when static.</summary>
    public Literal ToLiteral(DType storage)
    {
        var type = new TensorType(storage, Shape.From(Extents.Select(e => (Dim)e)));
        var writer = new LiteralWriter(type);
        foreach (Dim element in Elements)
        {
            writer.Append(ElementOf(storage, element.Value));
        }
        return writer.ToLiteral();

        static Graphene.Scalar ElementOf(DType type, long value) => Graphene.Scalar.FromInteger(type, value);
    }

    /// <summary>The same elements under another shape with as many elements.</summary>
    public DimTensor Reshape(params int[] extents) => this with { Extents = extents };

    /// <summary>Applies a function to each element; null as soon as it declines one.</summary>
    public DimTensor? Map(OnnxDataType type, Func<Dim, Dim?> function)
    {
        var result = new Dim[Elements.Length];
        for (int i = 0; i < result.Length; i++)
        {
            if (function(Elements[i]) is not { } value)
            {
                return null;
            }
            result[i] = value;
        }
        return new DimTensor(type, Extents, result);
    }

    /// <summary>Applies a function to pairs of elements after broadcasting; null as soon as it declines a pair.</summary>
    public static DimTensor? Zip(OnnxDataType type, DimTensor left, DimTensor right, Func<Dim, Dim, Dim?> function)
    {
        if (BroadcastExtents(left.Extents, right.Extents) is not { } extents)
        {
            return null;
        }
        var result = new Dim[extents.Aggregate(1, (product, e) => product * e)];
        int next = 0;
        foreach (long[] at in IndexSpace.Of([.. extents.Select(e => (long)e)]))
        {
            if (function(left.Broadcast(at), right.Broadcast(at)) is not { } value)
            {
                return null;
            }
            result[next++] = value;
        }
        return new DimTensor(type, extents, result);
    }

    /// <summary>The element that an index of a broadcast result reads.</summary>
    public Dim Broadcast(ReadOnlySpan<long> at)
    {
        long position = 0;
        int skipped = at.Length - Extents.Length;
        for (int axis = 0; axis < Extents.Length; axis++)
        {
            position = (position * Extents[axis]) + (Extents[axis] == 1 ? 0 : at[skipped + axis]);
        }
        return Elements[position];
    }

    /// <summary>The shape two shapes broadcast to, or null when they do not or the result would be large.</summary>
    public static int[]? BroadcastExtents(int[] left, int[] right)
    {
        var result = new int[Math.Max(left.Length, right.Length)];
        long count = 1;
        for (int i = 1; i <= result.Length; i++)
        {
            int l = i <= left.Length ? left[^i] : 1;
            int r = i <= right.Length ? right[^i] : 1;
            if (l != r && l != 1 && r != 1)
            {
                return null;
            }
            result[^i] = l == 1 ? r : l;
            count *= result[^i];
        }
        return count <= MaxElements ? result : null;
    }
}
