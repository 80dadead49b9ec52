namespace LLVMSharp.Interop;

/// <summary>Owns types and constants. One thread at a time; different contexts are independent.</summary>
internal unsafe struct LLVMContextRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public static implicit operator LLVMContextRef(LLVMOpaqueContext* value) => new((nint)value);

    public static implicit operator LLVMOpaqueContext*(LLVMContextRef value) => (LLVMOpaqueContext*)value.Handle;

    public static LLVMContextRef Create() => LLVM.ContextCreate();

    /// <summary>Parses IR text or bitcode. Takes the buffer over, whatever the outcome.</summary>
    public readonly bool TryParseIR(LLVMMemoryBufferRef MemBuf, out LLVMModuleRef OutM, out string OutMessage)
    {
        LLVMOpaqueModule* module = null;
        sbyte* message = null;
        int failed = LLVM.ParseIRInContext(this, MemBuf, &module, &message);
        OutM = failed == 0 ? module : default(LLVMModuleRef);
        OutMessage = MarshaledString.ReadAndDispose(message);
        return failed == 0;
    }

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.ContextDispose(this);
            Handle = 0;
        }
    }
}
