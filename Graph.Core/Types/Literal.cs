using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>A tensor value: a static type and its elements, row-major and little-endian.</summary>
/// <remarks>
/// Immutable. Two literals are equal when their types and all their bytes are. The bytes are in memory, or stored
/// elsewhere: then <see cref="Bytes"/> reads and keeps them, while <see cref="Part(long, int)"/> and whatever looks at
/// elements one after another keep nothing.
/// </remarks>
public sealed partial class Literal : IEquatable<Literal>
{
    // A multiple of every element's size and of the hash's blocks; stays in a core's own cache.
    private const int PartBytes = 256 << 10;
    private const int FirstLookBytes = 4096;

    private readonly ReadOnlyMemory<byte> _inMemory;
    private readonly StoredBytes? _stored;
    private volatile byte[]? _read;
    private ulong _hash;
    private bool? _isSplat;
    private bool? _isFinite;

    /// <summary>Wraps bytes that the caller no longer changes (they may be a mapped file).</summary>
    /// <param name="type">Element type and static shape, row-major.</param>
    /// <param name="bytes">Exactly the elements' bytes.</param>
    /// <exception cref="ArgumentException">The shape is symbolic, or the length does not fit the type.</exception>
    public Literal(TensorType type, ReadOnlyMemory<byte> bytes)
        : this(type, bytes.Length, nameof(bytes)) => _inMemory = bytes;

    /// <summary>A literal whose bytes are read when they are needed.</summary>
    /// <param name="type">Element type and static shape, row-major.</param>
    /// <param name="stored">Exactly the elements' bytes, at most as many as an array can hold.</param>
    /// <exception cref="ArgumentException">The shape is symbolic, or the length does not fit the type.</exception>
    public Literal(TensorType type, StoredBytes stored)
        : this(type, stored.Length, nameof(stored)) => _stored = stored;

    private Literal(TensorType type, long length, string argument)
    {
        if (!type.Shape.IsStatic)
        {
            throw new ArgumentException($"a literal needs a static shape, not {type}", nameof(type));
        }
        ElementCount = type.Shape.ElementCount.Value;
        SizeInBytes = ElementCount * type.DType.SizeInBytes();
        if (SizeInBytes != length || length > Array.MaxLength)
        {
            throw new ArgumentException($"{type} takes {SizeInBytes} bytes, not {length}", argument);
        }
        Type = type;
    }

    // The same bytes under another type.
    private Literal(TensorType type, Literal other)
        : this(type, other.SizeInBytes, nameof(other))
    {
        _inMemory = other._inMemory;
        _stored = other._stored;
        _read = other._read;
    }

    /// <summary>Element type and static shape.</summary>
    public TensorType Type { get; }

    /// <summary>The element type.</summary>
    public DType DType => Type.DType;

    /// <summary>The static shape.</summary>
    public Shape Shape => Type.Shape;

    /// <summary>The elements' bytes; those that are stored elsewhere are read, and kept from then on.</summary>
    public ReadOnlyMemory<byte> Bytes => _stored is null ? _inMemory : _read ?? ReadAll(_stored);

    /// <summary>The number of bytes.</summary>
    public long SizeInBytes { get; }

    /// <summary>The number of elements.</summary>
    public long ElementCount { get; }

    /// <summary>A hash of type and content; computed once.</summary>
    public ulong ContentHash
    {
        get
        {
            if (_hash == 0)
            {
                _hash = HashOfContent() | 1;
            }
            return _hash;
        }
    }

    /// <summary>Some of the bytes, for a short while, without keeping them in memory.</summary>
    /// <param name="offset">The first.</param>
    /// <param name="length">How many.</param>
    public LiteralPart Part(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, SizeInBytes);
        return _stored is null || _read is not null
            ? new LiteralPart(Bytes.Slice((int)offset, length))
            : new LiteralPart(_stored, offset, length);
    }

    /// <summary>All bytes, for a short while, without keeping them in memory.</summary>
    public LiteralPart Part() => Part(0, (int)SizeInBytes);

    /// <summary>Copies all bytes.</summary>
    /// <param name="target">At least <see cref="SizeInBytes"/> bytes.</param>
    public void CopyTo(Span<byte> target)
    {
        if (_stored is null || _read is not null)
        {
            Bytes.Span.CopyTo(target);
        }
        else
        {
            _stored.Read(0, target[..(int)SizeInBytes]);
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

    /// <summary>The same elements under another shape with as many elements.</summary>
    public Literal Reshape(Shape shape) => new(new TensorType(DType, shape), this);

    /// <inheritdoc/>
    public bool Equals(Literal? other) =>
        ReferenceEquals(this, other) ||
        (other is not null && Type == other.Type && ContentHash == other.ContentHash && HasBytesOf(other));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Literal);

    /// <inheritdoc/>
    public override int GetHashCode() => ContentHash.GetHashCode();

    private byte[] ReadAll(StoredBytes stored)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)SizeInBytes);
        stored.Read(0, bytes);
        return Interlocked.CompareExchange(ref _read, bytes, null) ?? bytes;
    }

    /// <summary>The type; the elements are for <see cref="Bytes"/>.</summary>
    public override string ToString() => $"literal {Type}";
}
