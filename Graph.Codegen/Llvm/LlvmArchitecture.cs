namespace Graphene.Codegen.Llvm;

/// <summary>The instruction sets that code is generated for.</summary>
public enum LlvmArchitecture
{
    /// <summary>x86 with 64-bit registers (<c>x86_64</c>).</summary>
    X64,

    /// <summary>64-bit ARM (<c>aarch64</c>).</summary>
    Arm64,

    /// <summary>64-bit RISC-V (<c>riscv64</c>).</summary>
    RiscV64,

    /// <summary>WebAssembly with 32-bit memory (<c>wasm32</c>).</summary>
    Wasm32,

    /// <summary>32-bit ARM with a floating-point unit (<c>armv7</c>, <c>thumbv7em</c>).</summary>
    Arm32,

    /// <summary>NVIDIA's virtual instruction set (<c>nvptx64</c>), written as PTX text.</summary>
    Nvptx64,
}
