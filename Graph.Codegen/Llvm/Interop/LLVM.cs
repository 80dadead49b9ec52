using System.Runtime.InteropServices;

namespace LLVMSharp.Interop;

/// <summary>The part of LLVM's C API that Graphene calls, under the names of the LLVMSharp.Interop package.</summary>
/// <remarks>
/// Everything here is as in the C headers (<c>llvm-c/Core.h</c>, <c>Analysis.h</c>, <c>IRReader.h</c>,
/// <c>Linker.h</c>, <c>TargetMachine.h</c>, <c>Transforms/PassBuilder.h</c>, <c>Error.h</c>) less the prefix <c>LLVM</c>. An
/// <c>LLVMBool</c> is an int, and 0 means success where a function can fail.
/// </remarks>
internal static unsafe partial class LLVM
{
    private const string Library = "libLLVM";

    [DllImport(Library, EntryPoint = "LLVMGetVersion", ExactSpelling = true)]
    public static extern void GetVersion(uint* major, uint* minor, uint* patch);

    [DllImport(Library, EntryPoint = "LLVMDisposeMessage", ExactSpelling = true)]
    public static extern void DisposeMessage(sbyte* message);

    [DllImport(Library, EntryPoint = "LLVMContextCreate", ExactSpelling = true)]
    public static extern LLVMOpaqueContext* ContextCreate();

    [DllImport(Library, EntryPoint = "LLVMContextDispose", ExactSpelling = true)]
    public static extern void ContextDispose(LLVMOpaqueContext* context);

    [DllImport(Library, EntryPoint = "LLVMContextSetDiagnosticHandler", ExactSpelling = true)]
    public static extern void ContextSetDiagnosticHandler(
        LLVMOpaqueContext* context,
        delegate* unmanaged[Cdecl]<LLVMOpaqueDiagnosticInfo*, void*, void> handler,
        void* diagnosticContext);

    [DllImport(Library, EntryPoint = "LLVMGetDiagInfoDescription", ExactSpelling = true)]
    public static extern sbyte* GetDiagInfoDescription(LLVMOpaqueDiagnosticInfo* info);

    [DllImport(Library, EntryPoint = "LLVMGetDiagInfoSeverity", ExactSpelling = true)]
    public static extern LLVMDiagnosticSeverity GetDiagInfoSeverity(LLVMOpaqueDiagnosticInfo* info);

    [DllImport(Library, EntryPoint = "LLVMParseIRInContext", ExactSpelling = true)]
    public static extern int ParseIRInContext(
        LLVMOpaqueContext* context, LLVMOpaqueMemoryBuffer* buffer, LLVMOpaqueModule** module, sbyte** message);

    [DllImport(Library, EntryPoint = "LLVMVerifyModule", ExactSpelling = true)]
    public static extern int VerifyModule(
        LLVMOpaqueModule* module, LLVMVerifierFailureAction action, sbyte** message);

    [DllImport(Library, EntryPoint = "LLVMPrintModuleToString", ExactSpelling = true)]
    public static extern sbyte* PrintModuleToString(LLVMOpaqueModule* module);

    [DllImport(Library, EntryPoint = "LLVMSetTarget", ExactSpelling = true)]
    public static extern void SetTarget(LLVMOpaqueModule* module, sbyte* triple);

    [DllImport(Library, EntryPoint = "LLVMSetModuleDataLayout", ExactSpelling = true)]
    public static extern void SetModuleDataLayout(LLVMOpaqueModule* module, LLVMOpaqueTargetData* layout);

    [DllImport(Library, EntryPoint = "LLVMDisposeModule", ExactSpelling = true)]
    public static extern void DisposeModule(LLVMOpaqueModule* module);

    /// <summary>Moves everything of the source into the destination, and disposes of the source.</summary>
    [DllImport(Library, EntryPoint = "LLVMLinkModules2", ExactSpelling = true)]
    public static extern int LinkModules2(LLVMOpaqueModule* destination, LLVMOpaqueModule* source);

    [DllImport(Library, EntryPoint = "LLVMGetNamedGlobal", ExactSpelling = true)]
    public static extern LLVMOpaqueValue* GetNamedGlobal(LLVMOpaqueModule* module, sbyte* name);

    [DllImport(Library, EntryPoint = "LLVMSetInitializer", ExactSpelling = true)]
    public static extern void SetInitializer(LLVMOpaqueValue* global, LLVMOpaqueValue* value);

    [DllImport(Library, EntryPoint = "LLVMConstStringInContext", ExactSpelling = true)]
    public static extern LLVMOpaqueValue* ConstStringInContext(
        LLVMOpaqueContext* context, sbyte* text, uint length, int dontNullTerminate);

    [DllImport(Library, EntryPoint = "LLVMGetFirstFunction", ExactSpelling = true)]
    public static extern LLVMOpaqueValue* GetFirstFunction(LLVMOpaqueModule* module);

    [DllImport(Library, EntryPoint = "LLVMGetNextFunction", ExactSpelling = true)]
    public static extern LLVMOpaqueValue* GetNextFunction(LLVMOpaqueValue* function);

    [DllImport(Library, EntryPoint = "LLVMIsDeclaration", ExactSpelling = true)]
    public static extern int IsDeclaration(LLVMOpaqueValue* global);

    [DllImport(Library, EntryPoint = "LLVMCreateStringAttribute", ExactSpelling = true)]
    public static extern LLVMOpaqueAttributeRef* CreateStringAttribute(
        LLVMOpaqueContext* context, sbyte* key, uint keyLength, sbyte* value, uint valueLength);

    [DllImport(Library, EntryPoint = "LLVMAddAttributeAtIndex", ExactSpelling = true)]
    public static extern void AddAttributeAtIndex(
        LLVMOpaqueValue* function, uint index, LLVMOpaqueAttributeRef* attribute);

    [DllImport(Library, EntryPoint = "LLVMCreateMemoryBufferWithMemoryRangeCopy", ExactSpelling = true)]
    public static extern LLVMOpaqueMemoryBuffer* CreateMemoryBufferWithMemoryRangeCopy(
        sbyte* data, nuint length, sbyte* name);

    [DllImport(Library, EntryPoint = "LLVMGetBufferStart", ExactSpelling = true)]
    public static extern sbyte* GetBufferStart(LLVMOpaqueMemoryBuffer* buffer);

    [DllImport(Library, EntryPoint = "LLVMGetBufferSize", ExactSpelling = true)]
    public static extern nuint GetBufferSize(LLVMOpaqueMemoryBuffer* buffer);

    [DllImport(Library, EntryPoint = "LLVMDisposeMemoryBuffer", ExactSpelling = true)]
    public static extern void DisposeMemoryBuffer(LLVMOpaqueMemoryBuffer* buffer);

    [DllImport(Library, EntryPoint = "LLVMRunPasses", ExactSpelling = true)]
    public static extern LLVMOpaqueError* RunPasses(
        LLVMOpaqueModule* module,
        sbyte* passes,
        LLVMOpaqueTargetMachine* targetMachine,
        LLVMOpaquePassBuilderOptions* options);

    [DllImport(Library, EntryPoint = "LLVMCreatePassBuilderOptions", ExactSpelling = true)]
    public static extern LLVMOpaquePassBuilderOptions* CreatePassBuilderOptions();

    [DllImport(Library, EntryPoint = "LLVMPassBuilderOptionsSetVerifyEach", ExactSpelling = true)]
    public static extern void PassBuilderOptionsSetVerifyEach(LLVMOpaquePassBuilderOptions* options, int verifyEach);

    [DllImport(Library, EntryPoint = "LLVMPassBuilderOptionsSetLoopVectorization", ExactSpelling = true)]
    public static extern void PassBuilderOptionsSetLoopVectorization(
        LLVMOpaquePassBuilderOptions* options, int loopVectorization);

    [DllImport(Library, EntryPoint = "LLVMPassBuilderOptionsSetSLPVectorization", ExactSpelling = true)]
    public static extern void PassBuilderOptionsSetSLPVectorization(
        LLVMOpaquePassBuilderOptions* options, int slpVectorization);

    [DllImport(Library, EntryPoint = "LLVMPassBuilderOptionsSetLoopUnrolling", ExactSpelling = true)]
    public static extern void PassBuilderOptionsSetLoopUnrolling(
        LLVMOpaquePassBuilderOptions* options, int loopUnrolling);

    [DllImport(Library, EntryPoint = "LLVMDisposePassBuilderOptions", ExactSpelling = true)]
    public static extern void DisposePassBuilderOptions(LLVMOpaquePassBuilderOptions* options);

    [DllImport(Library, EntryPoint = "LLVMGetErrorMessage", ExactSpelling = true)]
    public static extern sbyte* GetErrorMessage(LLVMOpaqueError* error);

    [DllImport(Library, EntryPoint = "LLVMDisposeErrorMessage", ExactSpelling = true)]
    public static extern void DisposeErrorMessage(sbyte* message);
}
