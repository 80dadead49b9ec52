using System.Runtime.InteropServices;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>What machine code is generated for. Equal targets give equal bytes for equal IR.</summary>
/// <param name="Triple">LLVM's target triple, such as <c>x86_64-unknown-linux-gnu</c>.</param>
/// <param name="Cpu">Processor name as in <c>-mcpu</c>; empty means the plainest one of the architecture.</param>
/// <param name="Features">Features added or removed, such as <c>+avx2,-sse4a</c>; may be empty.</param>
public sealed record LlvmTarget(string Triple, string Cpu = "", string Features = "")
{
    private static readonly Lazy<LlvmTarget> HostTarget = new(DetectHost);

    /// <summary>Plain x86-64 with SSE2: runs on every 64-bit x86.</summary>
    public static LlvmTarget X64 { get; } = new("x86_64-unknown-linux-gnu", "x86-64");

    /// <summary>x86-64-v3: AVX2, FMA, F16C; every x86 server since 2015.</summary>
    public static LlvmTarget X64V3 { get; } = new("x86_64-unknown-linux-gnu", "x86-64-v3");

    /// <summary>x86-64-v4: AVX-512 F, BW, CD, DQ and VL.</summary>
    public static LlvmTarget X64V4 { get; } = new("x86_64-unknown-linux-gnu", "x86-64-v4");

    /// <summary>64-bit ARM with NEON.</summary>
    public static LlvmTarget Arm64 { get; } = new("aarch64-unknown-linux-gnu", "generic", "+neon");

    /// <summary>WebAssembly without vectors: what every browser runs since 2021.</summary>
    public static LlvmTarget Wasm32 { get; } = new(
        "wasm32-unknown-unknown", "mvp", "+bulk-memory,+mutable-globals,+nontrapping-fptoint,+sign-ext");

    /// <summary>WebAssembly with vectors of 128 bits: Chrome 91, Firefox 89, Safari 16.4, Node 16 and later.</summary>
    public static LlvmTarget Wasm32Simd { get; } = Wasm32 with { Features = Wasm32.Features + ",+simd128" };

    /// <summary>
    /// 32-bit ARM with VFPv3 and registers for floating-point arguments, as Linux distributions call <c>armhf</c>. NEON
    /// is left out: it takes denormals for zero.
    /// </summary>
    public static LlvmTarget Arm32 { get; } = new("armv7-unknown-linux-gnueabihf", "generic", "+vfp3d16,-neon,-d32");

    /// <summary>The same with vectors and fused multiply-add (Cortex-A7, A15 and later); denormal f32 count as zero in vectors.</summary>
    public static LlvmTarget Arm32Neon { get; } = Arm32 with { Features = "+neon,+vfp4,+d32,+hwdiv,+hwdiv-arm" };

    /// <summary>Cortex-M4F and M7 without an operating system: a unit for f32, Thumb instructions.</summary>
    public static LlvmTarget CortexM4 { get; } = new("thumbv7em-none-eabihf", "cortex-m4", "+vfp4d16sp,-fp64");

    /// <summary>The processor that runs now, with every feature it reports.</summary>
    /// <remarks>
    /// The object format is ELF on every operating system, because our own loader reads it. On Windows the functions
    /// that are called from outside must be marked with the Windows calling convention in the IR; see
    /// <c>docs/decisions/0001-llvm-and-cuda-bindings.md</c>.
    /// </remarks>
    /// <exception cref="NativeLibraryException">libLLVM, which knows the processors, is missing or too old.</exception>
    /// <exception cref="PlatformNotSupportedException">The process is neither x86-64 nor 64-bit ARM.</exception>
    public static LlvmTarget Host() => HostTarget.Value;

    /// <summary>The instruction set that the triple begins with.</summary>
    /// <exception cref="GraphException">Code is not generated for that instruction set.</exception>
    public LlvmArchitecture Architecture => LlvmTargetTable.ArchitectureOf(Triple);

    /// <summary>The widest vector register in bits: 512, 256 or 128; 0 where there are no vectors.</summary>
    public int VectorBits => LlvmTargetTable.VectorBits(this);

    /// <summary>
    /// Whether <see cref="Cpu"/> names a processor that carries out instructions on its widest vectors as two of half the width, so
    /// that half a vector takes half the time: Zen 4.
    /// </summary>
    public bool HalvesVectors => Cpu == "znver4" && VectorBits == 512;

    /// <summary>The bits of an address.</summary>
    public int PointerBits => Architecture is LlvmArchitecture.Wasm32 or LlvmArchitecture.Arm32 ? 32 : 64;

    /// <summary>Whether runs may be shared between threads, and stopped by others. A module of WebAssembly is alone.</summary>
    public bool HasThreads => Architecture != LlvmArchitecture.Wasm32;

    /// <summary>Whether there is no operating system, and code lies where its linker put it.</summary>
    public bool IsBareMetal => Triple.Contains("-none-", StringComparison.Ordinal);

    /// <summary>Whether rounding to integers is an instruction or a few; elsewhere LLVM would call the C library.</summary>
    public bool HasRounding => Architecture switch
    {
        LlvmArchitecture.X64 => HasFeature("sse4.1"),
        LlvmArchitecture.Arm32 => HasFeature("fp-armv8"),
        _ => true,
    };

    /// <summary>
    /// Whether fused multiply-add is one instruction. Code for other machines multiplies and adds; see
    /// <c>docs/decisions/0024-targets.md</c>.
    /// </summary>
    public bool HasFma => Architecture switch
    {
        LlvmArchitecture.Arm64 or LlvmArchitecture.Nvptx64 => true,
        LlvmArchitecture.RiscV64 => HasFeature("d") || HasFeature("v"),
        LlvmArchitecture.X64 => HasFeature("fma"),
        LlvmArchitecture.Arm32 => HasFeature("vfp4"),
        _ => false,
    };

    /// <summary>
    /// What a processor must have to run the code, as in <c>+avx2,+fma</c>; for
    /// <see cref="Graphene.Runtime.LoadedCode"/>, which checks it.
    /// </summary>
    public string RequiredFeatures => LlvmTargetTable.RequiredFeatures(this);

    /// <summary>Whether a feature is known to be there.</summary>
    /// <param name="name">LLVM's name without sign, such as <c>avx512f</c>.</param>
    /// <returns>
    /// What <see cref="Features"/> says last about it; where it says nothing, whether <see cref="Cpu"/> is one of the
    /// <c>x86-64-v1..4</c> levels that contain it. Other processor names alone promise nothing.
    /// </returns>
    public bool HasFeature(string name) => LlvmTargetTable.HasFeature(this, name);

    /// <inheritdoc/>
    public override string ToString() => Features.Length > 0 ? $"{Triple} {Cpu} {Features}" : $"{Triple} {Cpu}";

    private static unsafe LlvmTarget DetectHost()
    {
        string triple = RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => X64.Triple,
            System.Runtime.InteropServices.Architecture.Arm64 => Arm64.Triple,
            var other => throw new PlatformNotSupportedException(
                $"machine code can be run on x86-64 and 64-bit ARM, not on {other}"),
        };
        LlvmLibrary.Ensure();
        string cpu = MarshaledString.ReadAndDispose(LLVM.GetHostCPUName());
        string features = MarshaledString.ReadAndDispose(LLVM.GetHostCPUFeatures());

        // The Linux triple lets code use x18, which the other systems keep for themselves.
        if (triple == Arm64.Triple && !OperatingSystem.IsLinux())
        {
            features = features.Length > 0 ? features + ",+reserve-x18" : "+reserve-x18";
        }

        return new LlvmTarget(triple, cpu, features);
    }
}
