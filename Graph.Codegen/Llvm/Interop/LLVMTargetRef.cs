namespace LLVMSharp.Interop;

/// <summary>An instruction set that this build of LLVM can write. Static: nothing to dispose.</summary>
internal unsafe struct LLVMTargetRef(nint handle)
{
    public nint Handle = handle;

    public static implicit operator LLVMTargetRef(LLVMTarget* value) => new((nint)value);

    public static implicit operator LLVMTarget*(LLVMTargetRef value) => (LLVMTarget*)value.Handle;

    public static bool TryGetTargetFromTriple(
        ReadOnlySpan<char> triple, out LLVMTargetRef outTarget, out string outError)
    {
        using var marshaledTriple = new MarshaledString(triple);
        LLVMTarget* target = null;
        sbyte* message = null;
        int failed = LLVM.GetTargetFromTriple(marshaledTriple, &target, &message);
        outTarget = target;
        outError = MarshaledString.ReadAndDispose(message);
        return failed == 0;
    }

    public readonly LLVMTargetMachineRef CreateTargetMachine(
        ReadOnlySpan<char> triple,
        ReadOnlySpan<char> cpu,
        ReadOnlySpan<char> features,
        LLVMCodeGenOptLevel level,
        LLVMRelocMode reloc,
        LLVMCodeModel codeModel)
    {
        using var marshaledTriple = new MarshaledString(triple);
        using var marshaledCpu = new MarshaledString(cpu);
        using var marshaledFeatures = new MarshaledString(features);
        return LLVM.CreateTargetMachine(
            this, marshaledTriple, marshaledCpu, marshaledFeatures, level, reloc, codeModel);
    }
}
