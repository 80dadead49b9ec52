namespace LLVMSharp.Interop;

// What the C API hands out pointers to. Never instantiated: the handle structs wrap the pointers.

internal partial struct LLVMOpaqueContext;

internal partial struct LLVMOpaqueModule;

internal partial struct LLVMOpaqueValue;

internal partial struct LLVMOpaqueAttributeRef;

internal partial struct LLVMOpaqueMemoryBuffer;

internal partial struct LLVMOpaqueDiagnosticInfo;

internal partial struct LLVMOpaqueError;

internal partial struct LLVMOpaquePassBuilderOptions;

internal partial struct LLVMOpaqueTargetMachine;

internal partial struct LLVMOpaqueTargetData;

internal partial struct LLVMTarget;
