using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>A tensor value: a static type and its elements, row-major and little-endian.</summary>
/// <remarks>Immutable. Two literals are equal when their types and all their bytes are.</remarks>
public sealed class Literal : IEquatable<Literal>
{
    private ulong _hash;
    private bool? _isSplat;

    /// <summary>Wraps bytes that the caller no longer changes (they may be a mapped file).</summary>
    /// <param name="type">Element type and static shape, row-major.</param>
    /// <param name="bytes">Exactly the elements' bytes.</param>
    /// <exception cref="ArgumentException">The shape is symbolic, or the length does not fit the type.</exception>
    public Literal(TensorType type, ReadOnlyMemory<byte> bytes)
    {
        if (!type.Shape.IsStatic)
        {
            throw new ArgumentException($"a literal needs a static shape, not {type}", nameof(type));
        }
        long count = type.Shape.ElementCount.Value;
        if (count * type.DType.SizeInBytes() != bytes.Length)
        {
            throw new ArgumentException(
                $"{type} takes {count * type.DType.SizeInBytes()} bytes, not {bytes.Length}", nameof(bytes));
        }
        Type = type;
        Bytes = bytes;
        ElementCount = count;
    }

    /// <summary>Element type and static shape.</summary>
    public TensorType Type { get; }

    /// <summary>The element type.</summary>
    public DType DType => Type.DType;

    /// <summary>The static shape.</summary>
    public Shape Shape => Type.Shape;

    /// <summary>The elements' bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The number of elements.</summary>
    public long ElementCount { get; }

    /// <summary>A hash of type and content; computed once.</summary>
    public ulong ContentHash
    {
        get
        {
            if (_hash == 0)
            {
                _hash = ContentHashing.Hash(Bytes.Span, (ulong)Type.GetHashCode()) | 1;
            }
            return _hash;
        }
    }

    /// <summary>The element at a row-major position.</summary>
    public Scalar this[long position]
    {
        get
        {
            int size = DType.SizeInBytes();
            ReadOnlySpan<byte> at = Bytes.Span.Slice(checked((int)(position * size)), size);
            ulong bits = size switch
            {
                1 => at[0],
                2 => MemoryMarshal.Read<ushort>(at),
                4 => MemoryMarshal.Read<uint>(at),
                _ => MemoryMarshal.Read<ulong>(at),
            };
            return Scalar.FromBits(DType, bits);
        }
    }

    /// <summary>The element at a multi-dimensional index.</summary>
    public Scalar this[ReadOnlySpan<long> at]
    {
        get
        {
            long position = 0;
            for (int axis = 0; axis < at.Length; axis++)
            {
                position = (position * Shape[axis].Value) + at[axis];
            }
            return this[position];
        }
    }

    /// <summary>A scalar.</summary>
    public static Literal FromScalar(Scalar value) => Generate(TensorType.Scalar(value.DType), _ => value);

    /// <summary>A tensor with a copy of the given elements.</summary>
    public static Literal From<T>(ReadOnlySpan<T> elements, params ReadOnlySpan<long> shape)
        where T : unmanaged =>
        new(new TensorType(DTypeFacts.Of<T>(), Shape.Of(shape)), MemoryMarshal.AsBytes(elements).ToArray());

    /// <summary>A tensor all of whose elements are equal.</summary>
    public static Literal Splat(TensorType type, Scalar value) => Generate(type, _ => value);

    /// <summary>Computes every element from its index, in row-major order.</summary>
    /// <param name="type">Element type and static shape.</param>
    /// <param name="element">Gives the element at an index; the array is reused between calls.</param>
    public static Literal Generate(TensorType type, Func<long[], Scalar> element)
    {
        var writer = new LiteralWriter(type);
        foreach (long[] at in IndexSpace.Of(type.Shape.ToStatic()))
        {
            writer.Append(element(at));
        }
        return writer.ToLiteral();
    }

    /// <summary>The elements.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not this literal's element type.</exception>
    public ReadOnlySpan<T> As<T>()
        where T : unmanaged
    {
        if (DTypeFacts.Of<T>() != DType)
        {
            throw new InvalidOperationException($"the elements of {Type} are not {typeof(T).Name}");
        }
        return MemoryMarshal.Cast<byte, T>(Bytes.Span);
    }

    /// <summary>All elements as doubles, in row-major order; 64-bit integers are rounded to nearest.</summary>
    public double[] ToDoubles()
    {
        var values = new double[ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = this[i].AsDouble;
        }
        return values;
    }

    /// <summary>True when no element is infinite or NaN.</summary>
    public bool IsFinite()
    {
        if (DType == DType.F32)
        {
            const uint Exponent = 0x7F80_0000;
            bool finite = true;
            foreach (uint bits in MemoryMarshal.Cast<byte, uint>(Bytes.Span))
            {
                finite &= (bits & Exponent) != Exponent;
            }
            return finite;
        }
        return !DType.IsFloating() || Array.TrueForAll(ToDoubles(), double.IsFinite);
    }

    /// <summary>The same elements under another shape with as many elements.</summary>
    public Literal Reshape(Shape shape) => new(new TensorType(DType, shape), Bytes);

    /// <summary>True when all elements have the same bits as the first; true without elements.</summary>
    public bool IsSplat()
    {
        if (_isSplat is null)
        {
            ReadOnlySpan<byte> bytes = Bytes.Span;
            int size = DType.SizeInBytes();
            _isSplat = bytes.Length <= size || bytes[size..].SequenceEqual(bytes[..^size]);
        }
        return _isSplat.Value;
    }

    /// <inheritdoc/>
    public bool Equals(Literal? other) =>
        ReferenceEquals(this, other) ||
        (other is not null && Type == other.Type && ContentHash == other.ContentHash &&
            Bytes.Span.SequenceEqual(other.Bytes.Span));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Literal);

    /// <inheritdoc/>
    public override int GetHashCode() => ContentHash.GetHashCode();

    /// <summary>The type; the elements are for <see cref="Bytes"/>.</summary>
    public override string ToString() => $"literal {Type}";
}
