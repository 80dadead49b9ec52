namespace LLVMSharp.Interop;

/// <summary>Sizes, alignments and address spaces of a target.</summary>
internal unsafe struct LLVMTargetDataRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public static implicit operator LLVMTargetDataRef(LLVMOpaqueTargetData* value) => new((nint)value);

    public static implicit operator LLVMOpaqueTargetData*(LLVMTargetDataRef value) =>
        (LLVMOpaqueTargetData*)value.Handle;

    public readonly string StringRepresentation =>
        MarshaledString.ReadAndDispose(LLVM.CopyStringRepOfTargetData(this));

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.DisposeTargetData(this);
            Handle = 0;
        }
    }
}
