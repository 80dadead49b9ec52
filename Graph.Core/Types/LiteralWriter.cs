using System.Buffers.Binary;

namespace Graphene;

/// <summary>Fills a new literal element by element.</summary>
/// <param name="type">Element type and static shape.</param>
public sealed class LiteralWriter(TensorType type)
{
    private readonly byte[] _bytes = new byte[checked((int)type.SizeInBytes.Value)];
    private int _next;

    /// <summary>A writer that begins with the elements of a literal.</summary>
    public static LiteralWriter CopyOf(Literal value)
    {
        var writer = new LiteralWriter(value.Type);
        value.CopyTo(writer._bytes);
        return writer;
    }

    /// <summary>Sets the next element in row-major order.</summary>
    public void Append(Scalar value)
    {
        this[_next / type.DType.SizeInBytes()] = value;
        _next += type.DType.SizeInBytes();
    }

    /// <summary>Sets or reads back the element at a row-major position.</summary>
    public Scalar this[long position]
    {
        get
        {
            ulong bits = 0;
            ReadOnlySpan<byte> at = At(position);
            for (int i = at.Length - 1; i >= 0; i--)
            {
                bits = (bits << 8) | at[i];
            }
            return Scalar.FromBits(type.DType, bits);
        }

        set
        {
            if (value.DType != type.DType)
            {
                throw new ArgumentException($"an element of {type} cannot be a {value.DType.Name()}", nameof(value));
            }
            Span<byte> at = At(position);
            switch (at.Length)
            {
                case 1: at[0] = (byte)value.Bits; break;
                case 2: BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)value.Bits); break;
                case 4: BinaryPrimitives.WriteUInt32LittleEndian(at, (uint)value.Bits); break;
                default: BinaryPrimitives.WriteUInt64LittleEndian(at, value.Bits); break;
            }
        }
    }

    /// <summary>Hands the elements over; the writer is not used afterwards.</summary>
    public Literal ToLiteral() => new(type, _bytes);

    private Span<byte> At(long position) =>
        _bytes.AsSpan(checked((int)(position * type.DType.SizeInBytes())), type.DType.SizeInBytes());
}
