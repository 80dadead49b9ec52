namespace LLVMSharp.Interop;

/// <summary>Settings of a run of passes.</summary>
internal unsafe struct LLVMPassBuilderOptionsRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public static implicit operator LLVMPassBuilderOptionsRef(LLVMOpaquePassBuilderOptions* value) =>
        new((nint)value);

    public static implicit operator LLVMOpaquePassBuilderOptions*(LLVMPassBuilderOptionsRef value) =>
        (LLVMOpaquePassBuilderOptions*)value.Handle;

    public static LLVMPassBuilderOptionsRef Create() => LLVM.CreatePassBuilderOptions();

    public readonly void SetVerifyEach(bool VerifyEach) =>
        LLVM.PassBuilderOptionsSetVerifyEach(this, VerifyEach ? 1 : 0);

    public readonly void SetLoopVectorization(bool LoopVectorization) =>
        LLVM.PassBuilderOptionsSetLoopVectorization(this, LoopVectorization ? 1 : 0);

    public readonly void SetSLPVectorization(bool SLPVectorization) =>
        LLVM.PassBuilderOptionsSetSLPVectorization(this, SLPVectorization ? 1 : 0);

    public readonly void SetLoopUnrolling(bool LoopUnrolling) =>
        LLVM.PassBuilderOptionsSetLoopUnrolling(this, LoopUnrolling ? 1 : 0);

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.DisposePassBuilderOptions(this);
            Handle = 0;
        }
    }
}
