using System.Buffers;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the numbers that WebAssembly modules are made of, in their shortest form.</summary>
internal sealed class WasmWriter
{
    private readonly ArrayBufferWriter<byte> _written = new();

    public long Length => _written.WrittenCount;

    public void Byte(byte value) => _written.Write([value]);

    public void Bytes(ReadOnlySpan<byte> bytes) => _written.Write(bytes);

    public void Bytes(byte[] bytes) => _written.Write(bytes);

    public void Name(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        Unsigned((uint)bytes.Length);
        Bytes(bytes);
    }

    public void Unsigned(uint value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }
        Byte((byte)value);
    }

    public void Signed(int value)
    {
        while (value is < -64 or > 63)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }
        Byte((byte)(value & 0x7F));
    }

    public byte[] ToArray() => _written.WrittenSpan.ToArray();
}
