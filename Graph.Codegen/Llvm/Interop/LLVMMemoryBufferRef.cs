namespace LLVMSharp.Interop;

/// <summary>Bytes that LLVM reads from or has written to.</summary>
internal unsafe struct LLVMMemoryBufferRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public readonly nuint BufferSize => Handle != 0 ? LLVM.GetBufferSize(this) : 0;

    public readonly nint BufferStart => Handle != 0 ? (nint)LLVM.GetBufferStart(this) : 0;

    public static implicit operator LLVMMemoryBufferRef(LLVMOpaqueMemoryBuffer* value) => new((nint)value);

    public static implicit operator LLVMOpaqueMemoryBuffer*(LLVMMemoryBufferRef value) =>
        (LLVMOpaqueMemoryBuffer*)value.Handle;

    public static LLVMMemoryBufferRef CreateWithMemoryRangeCopy(
        ReadOnlySpan<byte> InputData, ReadOnlySpan<char> BufferName)
    {
        using var name = new MarshaledString(BufferName);
        fixed (byte* data = InputData)
        {
            return LLVM.CreateMemoryBufferWithMemoryRangeCopy((sbyte*)data, (nuint)InputData.Length, name);
        }
    }

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.DisposeMemoryBuffer(this);
            Handle = 0;
        }
    }
}
