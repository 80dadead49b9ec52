namespace Graphene.Runtime;

/// <summary>A value for one input: elements and, when it is known, their shape. Nothing is copied.</summary>
/// <remarks>
/// Without a shape the elements take the shape of the input they are fed to; one dimension that is symbolic there
/// follows from their
/// number. The memory must not change while a run reads it.
/// </remarks>
public sealed class Feed
{
    private readonly long[]? _shape;

    private Feed(DType type, ReadOnlyMemory<byte> bytes, long[]? shape)
    {
        DType = type;
        Bytes = bytes;
        _shape = shape;
    }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The elements, row-major.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Whether a shape was given.</summary>
    public bool HasShape => _shape is not null;

    /// <summary>The shape; empty for a scalar and when none was given.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>A literal with its shape.</summary>
    public static implicit operator Feed(Literal value) => Of(value);

    /// <summary>Elements that take the input's shape.</summary>
    public static implicit operator Feed(float[] elements) => Of<float>(elements.AsMemory());

    /// <summary>Elements that take the input's shape.</summary>
    public static implicit operator Feed(double[] elements) => Of<double>(elements.AsMemory());

    /// <summary>Elements that take the input's shape.</summary>
    public static implicit operator Feed(int[] elements) => Of<int>(elements.AsMemory());

    /// <summary>Elements that take the input's shape.</summary>
    public static implicit operator Feed(long[] elements) => Of<long>(elements.AsMemory());

    /// <summary>Elements that take the input's shape.</summary>
    public static implicit operator Feed(bool[] elements) => Of<bool>(elements.AsMemory());

    /// <summary>A scalar.</summary>
    public static implicit operator Feed(float value) => Scalar(value);

    /// <summary>A scalar.</summary>
    public static implicit operator Feed(double value) => Scalar(value);

    /// <summary>A scalar.</summary>
    public static implicit operator Feed(int value) => Scalar(value);

    /// <summary>A scalar.</summary>
    public static implicit operator Feed(long value) => Scalar(value);

    /// <summary>A scalar.</summary>
    public static implicit operator Feed(bool value) => Scalar(value);

    /// <summary>A literal with its shape.</summary>
    public static Feed Of(Literal value) => new(value.DType, value.Bytes, value.Shape.ToStatic());

    /// <summary>A scalar.</summary>
    public static Feed Scalar<T>(T value)
        where T : unmanaged => Of<T>((T[])[value], []);

    /// <summary>Elements that take the input's shape.</summary>
    public static Feed Of<T>(ReadOnlyMemory<T> elements)
        where T : unmanaged => new(DTypeFacts.Of<T>(), AsBytes(elements), null);

    /// <summary>Elements of a shape.</summary>
    /// <param name="elements">Row-major.</param>
    /// <param name="shape">Its product is the number of elements.</param>
    /// <exception cref="ArgumentException">The number of elements does not fit the shape.</exception>
    public static Feed Of<T>(ReadOnlyMemory<T> elements, params ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        long count = 1;
        foreach (long extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            count = checked(count * extent);
        }
        return count == elements.Length
            ? new Feed(DTypeFacts.Of<T>(), AsBytes(elements), shape.ToArray())
            : throw new ArgumentException(
                $"{elements.Length} elements cannot have the shape [{string.Join(",", shape.ToArray())}]");
    }

    private static ReadOnlyMemory<byte> AsBytes<T>(ReadOnlyMemory<T> elements)
        where T : unmanaged
    {
        if (elements.Length > int.MaxValue / DTypeFacts.Of<T>().SizeInBytes())
        {
            throw new ArgumentException($"{elements.Length} elements are more bytes than memory of .NET can span");
        }
        return typeof(T) == typeof(byte)
            ? (ReadOnlyMemory<byte>)(object)elements
            : new ElementBytes<T>(elements).Memory;
    }
}
