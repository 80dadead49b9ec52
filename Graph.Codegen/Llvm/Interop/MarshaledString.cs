using System.Runtime.InteropServices;
using System.Text;

namespace LLVMSharp.Interop;

/// <summary>A string as zero-terminated UTF-8 in native memory, for the length of one call.</summary>
internal unsafe ref struct MarshaledString
{
    private byte* _value;

    public MarshaledString(ReadOnlySpan<char> input)
    {
        int length = Encoding.UTF8.GetByteCount(input);
        _value = (byte*)NativeMemory.Alloc((nuint)length + 1);
        Encoding.UTF8.GetBytes(input, new Span<byte>(_value, length));
        _value[length] = 0;
        Length = length;
    }

    /// <summary>The number of bytes before the terminating zero.</summary>
    public int Length { get; }

    public static implicit operator sbyte*(in MarshaledString value) => (sbyte*)value._value;

    /// <summary>Reads a zero-terminated string of LLVM's; null reads as empty.</summary>
    public static string Read(sbyte* text) => Marshal.PtrToStringUTF8((nint)text) ?? string.Empty;

    /// <summary>Reads a message that LLVM allocated, and frees it.</summary>
    public static string ReadAndDispose(sbyte* text)
    {
        if (text == null)
        {
            return string.Empty;
        }

        string result = Read(text);
        LLVM.DisposeMessage(text);
        return result;
    }

    public void Dispose()
    {
        NativeMemory.Free(_value);
        _value = null;
    }
}
