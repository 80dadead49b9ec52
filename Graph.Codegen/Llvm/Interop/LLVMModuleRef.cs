namespace LLVMSharp.Interop;

/// <summary>A module of LLVM IR. Must be disposed before its context.</summary>
internal unsafe struct LLVMModuleRef(nint handle) : IDisposable
{
    public nint Handle = handle;

    public readonly string Target
    {
        set
        {
            using var triple = new MarshaledString(value);
            LLVM.SetTarget(this, triple);
        }
    }

    public static implicit operator LLVMModuleRef(LLVMOpaqueModule* value) => new((nint)value);

    public static implicit operator LLVMOpaqueModule*(LLVMModuleRef value) => (LLVMOpaqueModule*)value.Handle;

    public readonly bool TryVerify(LLVMVerifierFailureAction Action, out string OutMessage)
    {
        sbyte* message = null;
        int failed = LLVM.VerifyModule(this, Action, &message);
        OutMessage = MarshaledString.ReadAndDispose(message);
        return failed == 0;
    }

    public readonly string PrintToString() => MarshaledString.ReadAndDispose(LLVM.PrintModuleToString(this));

    /// <summary>Runs a pipeline written as for <c>opt -passes=</c>.</summary>
    public readonly bool TryRunPasses(
        ReadOnlySpan<char> Passes, LLVMTargetMachineRef TM, LLVMPassBuilderOptionsRef Options, out string OutMessage)
    {
        using var passes = new MarshaledString(Passes);
        LLVMOpaqueError* error = LLVM.RunPasses(this, passes, TM, Options);
        if (error == null)
        {
            OutMessage = string.Empty;
            return true;
        }

        // GetErrorMessage consumes the error; its text has a dispose function of its own.
        sbyte* message = LLVM.GetErrorMessage(error);
        OutMessage = MarshaledString.Read(message);
        LLVM.DisposeErrorMessage(message);
        return false;
    }

    public void Dispose()
    {
        if (Handle != 0)
        {
            LLVM.DisposeModule(this);
            Handle = 0;
        }
    }
}
