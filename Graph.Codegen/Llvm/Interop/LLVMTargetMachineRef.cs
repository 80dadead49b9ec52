namespace LLVMSharp.Interop;

/// <summary>A target with a processor, features and settings. One thread at a time.</summary>
internal unsafe struct LLVMTargetMachineRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public static implicit operator LLVMTargetMachineRef(LLVMOpaqueTargetMachine* value) => new((nint)value);

    public static implicit operator LLVMOpaqueTargetMachine*(LLVMTargetMachineRef value) =>
        (LLVMOpaqueTargetMachine*)value.Handle;

    public readonly LLVMTargetDataRef CreateTargetDataLayout() => LLVM.CreateTargetDataLayout(this);

    public readonly bool TryEmitToMemoryBuffer(
        LLVMModuleRef module, LLVMCodeGenFileType codegen, out LLVMMemoryBufferRef memoryBuffer, out string message)
    {
        LLVMOpaqueMemoryBuffer* buffer = null;
        sbyte* errorMessage = null;
        int failed = LLVM.TargetMachineEmitToMemoryBuffer(this, module, codegen, &errorMessage, &buffer);
        memoryBuffer = buffer;
        message = MarshaledString.ReadAndDispose(errorMessage);
        return failed == 0;
    }

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.DisposeTargetMachine(this);
            Handle = 0;
        }
    }
}
