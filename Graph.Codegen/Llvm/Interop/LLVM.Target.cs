using System.Runtime.InteropServices;

namespace LLVMSharp.Interop;

/// <summary>Targets and target machines: <c>llvm-c/Target.h</c> and <c>llvm-c/TargetMachine.h</c>.</summary>
internal static unsafe partial class LLVM
{
    [DllImport(Library, EntryPoint = "LLVMGetTargetFromTriple", ExactSpelling = true)]
    public static extern int GetTargetFromTriple(sbyte* triple, LLVMTarget** target, sbyte** message);

    [DllImport(Library, EntryPoint = "LLVMGetHostCPUName", ExactSpelling = true)]
    public static extern sbyte* GetHostCPUName();

    [DllImport(Library, EntryPoint = "LLVMGetHostCPUFeatures", ExactSpelling = true)]
    public static extern sbyte* GetHostCPUFeatures();

    [DllImport(Library, EntryPoint = "LLVMCreateTargetMachine", ExactSpelling = true)]
    public static extern LLVMOpaqueTargetMachine* CreateTargetMachine(
        LLVMTarget* target,
        sbyte* triple,
        sbyte* cpu,
        sbyte* features,
        LLVMCodeGenOptLevel level,
        LLVMRelocMode reloc,
        LLVMCodeModel codeModel);

    [DllImport(Library, EntryPoint = "LLVMDisposeTargetMachine", ExactSpelling = true)]
    public static extern void DisposeTargetMachine(LLVMOpaqueTargetMachine* targetMachine);

    [DllImport(Library, EntryPoint = "LLVMCreateTargetDataLayout", ExactSpelling = true)]
    public static extern LLVMOpaqueTargetData* CreateTargetDataLayout(LLVMOpaqueTargetMachine* targetMachine);

    [DllImport(Library, EntryPoint = "LLVMCopyStringRepOfTargetData", ExactSpelling = true)]
    public static extern sbyte* CopyStringRepOfTargetData(LLVMOpaqueTargetData* layout);

    [DllImport(Library, EntryPoint = "LLVMDisposeTargetData", ExactSpelling = true)]
    public static extern void DisposeTargetData(LLVMOpaqueTargetData* layout);

    [DllImport(Library, EntryPoint = "LLVMTargetMachineEmitToMemoryBuffer", ExactSpelling = true)]
    public static extern int TargetMachineEmitToMemoryBuffer(
        LLVMOpaqueTargetMachine* targetMachine,
        LLVMOpaqueModule* module,
        LLVMCodeGenFileType codegen,
        sbyte** message,
        LLVMOpaqueMemoryBuffer** buffer);

    [DllImport(Library, EntryPoint = "LLVMInitializeX86TargetInfo", ExactSpelling = true)]
    public static extern void InitializeX86TargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeX86Target", ExactSpelling = true)]
    public static extern void InitializeX86Target();

    [DllImport(Library, EntryPoint = "LLVMInitializeX86TargetMC", ExactSpelling = true)]
    public static extern void InitializeX86TargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeX86AsmPrinter", ExactSpelling = true)]
    public static extern void InitializeX86AsmPrinter();

    [DllImport(Library, EntryPoint = "LLVMInitializeX86AsmParser", ExactSpelling = true)]
    public static extern void InitializeX86AsmParser();

    [DllImport(Library, EntryPoint = "LLVMInitializeAArch64TargetInfo", ExactSpelling = true)]
    public static extern void InitializeAArch64TargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeAArch64Target", ExactSpelling = true)]
    public static extern void InitializeAArch64Target();

    [DllImport(Library, EntryPoint = "LLVMInitializeAArch64TargetMC", ExactSpelling = true)]
    public static extern void InitializeAArch64TargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeAArch64AsmPrinter", ExactSpelling = true)]
    public static extern void InitializeAArch64AsmPrinter();

    [DllImport(Library, EntryPoint = "LLVMInitializeRISCVTargetInfo", ExactSpelling = true)]
    public static extern void InitializeRISCVTargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeRISCVTarget", ExactSpelling = true)]
    public static extern void InitializeRISCVTarget();

    [DllImport(Library, EntryPoint = "LLVMInitializeRISCVTargetMC", ExactSpelling = true)]
    public static extern void InitializeRISCVTargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeRISCVAsmPrinter", ExactSpelling = true)]
    public static extern void InitializeRISCVAsmPrinter();

    [DllImport(Library, EntryPoint = "LLVMInitializeARMTargetInfo", ExactSpelling = true)]
    public static extern void InitializeARMTargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeARMTarget", ExactSpelling = true)]
    public static extern void InitializeARMTarget();

    [DllImport(Library, EntryPoint = "LLVMInitializeARMTargetMC", ExactSpelling = true)]
    public static extern void InitializeARMTargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeARMAsmPrinter", ExactSpelling = true)]
    public static extern void InitializeARMAsmPrinter();

    [DllImport(Library, EntryPoint = "LLVMInitializeWebAssemblyTargetInfo", ExactSpelling = true)]
    public static extern void InitializeWebAssemblyTargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeWebAssemblyTarget", ExactSpelling = true)]
    public static extern void InitializeWebAssemblyTarget();

    [DllImport(Library, EntryPoint = "LLVMInitializeWebAssemblyTargetMC", ExactSpelling = true)]
    public static extern void InitializeWebAssemblyTargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeWebAssemblyAsmPrinter", ExactSpelling = true)]
    public static extern void InitializeWebAssemblyAsmPrinter();

    [DllImport(Library, EntryPoint = "LLVMInitializeNVPTXTargetInfo", ExactSpelling = true)]
    public static extern void InitializeNVPTXTargetInfo();

    [DllImport(Library, EntryPoint = "LLVMInitializeNVPTXTarget", ExactSpelling = true)]
    public static extern void InitializeNVPTXTarget();

    [DllImport(Library, EntryPoint = "LLVMInitializeNVPTXTargetMC", ExactSpelling = true)]
    public static extern void InitializeNVPTXTargetMC();

    [DllImport(Library, EntryPoint = "LLVMInitializeNVPTXAsmPrinter", ExactSpelling = true)]
    public static extern void InitializeNVPTXAsmPrinter();
}
