namespace Graphene.Codegen.Aot;

/// <summary>Reads the numbers that WebAssembly modules are made of: LEB128, 5.2.2 of the specification.</summary>
internal sealed class WasmReader(byte[] bytes, int position)
{
    public int Position { get; private set; } = position;

    public bool IsAtEnd => Position >= bytes.Length;

    public byte Byte() => bytes[Position++];

    public ReadOnlySpan<byte> Bytes(int count)
    {
        Position += count;
        return bytes.AsSpan(Position - count, count);
    }

    public ReadOnlySpan<byte> Rest() => Bytes(bytes.Length - Position);

    public byte[] Since(int start) => bytes[start..Position];

    public uint Unsigned()
    {
        uint value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = Byte();
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    public long Signed()
    {
        long value = 0;
        for (int shift = 0; ;)
        {
            byte next = Byte();
            value |= (long)(next & 0x7F) << shift;
            shift += 7;
            if (next < 0x80)
            {
                return (next & 0x40) != 0 && shift < 64 ? value | (-1L << shift) : value;
            }
        }
    }
}
