using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>What differs from architecture to architecture.</summary>
internal static class LlvmTargetTable
{
    // The micro-architecture levels of the x86-64 psABI; each contains the ones before it.
    private static readonly (string Cpu, string[] Features)[] X64Levels =
    [
        ("x86-64", ["cmov", "cx8", "fxsr", "mmx", "sse", "sse2"]),
        ("x86-64-v2", ["cx16", "sahf", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"]),
        ("x86-64-v3", ["avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"]),
        ("x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
    ];

    private static readonly Lock Gate = new();
    private static readonly HashSet<LlvmArchitecture> Initialized = [];

    public static LlvmArchitecture ArchitectureOf(string triple)
    {
        int end = triple.IndexOf('-');
        return (end < 0 ? triple : triple[..end]) switch
        {
            "x86_64" or "amd64" => LlvmArchitecture.X64,
            "aarch64" or "arm64" => LlvmArchitecture.Arm64,
            "riscv64" => LlvmArchitecture.RiscV64,
            "wasm32" => LlvmArchitecture.Wasm32,
            "arm" or "armv7" or "armv7a" or "thumbv7" or "thumbv7a" or "thumbv7em" => LlvmArchitecture.Arm32,
            "nvptx64" => LlvmArchitecture.Nvptx64,
            var other => throw new GraphException(
                CodegenDiagnostics.UnsupportedTarget,
                $"target: no code is generated for '{other}'",
                where: $"target triple '{triple}'",
                why: "code is generated for x86_64, aarch64, riscv64, armv7, thumbv7em, wasm32 and nvptx64",
                fix: $"pass a triple that begins with one of them, such as {LlvmTarget.X64.Triple}"),
        };
    }

    public static bool HasFeature(LlvmTarget target, string name)
    {
        bool? said = null;
        foreach (Range part in target.Features.AsSpan().Split(','))
        {
            ReadOnlySpan<char> feature = target.Features.AsSpan()[part].Trim();
            if (feature.Length > 1 && feature[1..].SequenceEqual(name))
            {
                said = feature[0] == '+';
            }
        }

        if (said is { } known)
        {
            return known;
        }

        int level = Array.FindIndex(X64Levels, l => l.Cpu == target.Cpu);
        return X64Levels.Take(level + 1).Any(l => l.Features.Contains(name));
    }

    public static string RequiredFeatures(LlvmTarget target)
    {
        IEnumerable<string> spelledOut = target.Features
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(f => f[1..]);
        int level = Array.FindIndex(X64Levels, l => l.Cpu == target.Cpu);
        IEnumerable<string> all = X64Levels.Take(level + 1).SelectMany(l => l.Features)
            .Concat(spelledOut)
            .Where(target.HasFeature)
            .Distinct()
            .Order(StringComparer.Ordinal);
        return string.Join(',', all.Select(f => "+" + f));
    }

    public static int VectorBits(LlvmTarget target) => target.Architecture switch
    {
        LlvmArchitecture.X64 when target.HasFeature("avx512f") && target.HasFeature("avx512vl") => 512,
        LlvmArchitecture.X64 when target.HasFeature("avx2") => 256,
        LlvmArchitecture.X64 => 128,
        LlvmArchitecture.Arm64 => 128,
        LlvmArchitecture.RiscV64 when !target.HasFeature("v") => 0,
        LlvmArchitecture.RiscV64 => target.HasFeature("zvl512b") ? 512 : target.HasFeature("zvl256b") ? 256 : 128,
        LlvmArchitecture.Wasm32 => target.HasFeature("simd128") ? 128 : 0,
        LlvmArchitecture.Arm32 => target.HasFeature("neon") ? 128 : 0,
        _ => 0,
    };

    /// <summary>Position independence wherever the loader or a linker may put the code at any address.</summary>
    public static LLVMRelocMode RelocationModel(LlvmTarget target) =>
        target.Architecture == LlvmArchitecture.Wasm32 || target.IsBareMetal ? LLVMRelocMode.LLVMRelocStatic : LLVMRelocMode.LLVMRelocPIC;

    /// <summary>Code and data within 2 GiB of each other. RISC-V calls that medium (<c>medany</c>).</summary>
    public static LLVMCodeModel CodeModel(LlvmArchitecture architecture) =>
        architecture == LlvmArchitecture.RiscV64
            ? LLVMCodeModel.LLVMCodeModelMedium
            : LLVMCodeModel.LLVMCodeModelSmall;

    /// <summary>Registers a target with LLVM. LLVM's registry is global and not thread-safe.</summary>
    public static void Initialize(LlvmArchitecture architecture)
    {
        lock (Gate)
        {
            if (Initialized.Contains(architecture))
            {
                return;
            }

            try
            {
                Register(architecture);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new GraphException(
                    CodegenDiagnostics.UnsupportedTarget,
                    $"target: this libLLVM cannot generate code for {architecture}",
                    where: LlvmLibrary.Load().Path,
                    why: "it was built without that target",
                    fix: $"install a complete LLVM, or set {LlvmSearchPath.OverrideVariable} to one",
                    inner: e);
            }

            Initialized.Add(architecture);
        }
    }

    private static void Register(LlvmArchitecture architecture)
    {
        switch (architecture)
        {
            case LlvmArchitecture.X64:
                LLVM.InitializeX86TargetInfo();
                LLVM.InitializeX86Target();
                LLVM.InitializeX86TargetMC();
                LLVM.InitializeX86AsmPrinter();
                LLVM.InitializeX86AsmParser(); // reads inline assembly: how ahead-of-time code asks for features
                break;
            case LlvmArchitecture.Arm64:
                LLVM.InitializeAArch64TargetInfo();
                LLVM.InitializeAArch64Target();
                LLVM.InitializeAArch64TargetMC();
                LLVM.InitializeAArch64AsmPrinter();
                break;
            case LlvmArchitecture.RiscV64:
                LLVM.InitializeRISCVTargetInfo();
                LLVM.InitializeRISCVTarget();
                LLVM.InitializeRISCVTargetMC();
                LLVM.InitializeRISCVAsmPrinter();
                break;
            case LlvmArchitecture.Wasm32:
                LLVM.InitializeWebAssemblyTargetInfo();
                LLVM.InitializeWebAssemblyTarget();
                LLVM.InitializeWebAssemblyTargetMC();
                LLVM.InitializeWebAssemblyAsmPrinter();
                break;
            case LlvmArchitecture.Arm32:
                LLVM.InitializeARMTargetInfo();
                LLVM.InitializeARMTarget();
                LLVM.InitializeARMTargetMC();
                LLVM.InitializeARMAsmPrinter();
                break;
            case LlvmArchitecture.Nvptx64:
                LLVM.InitializeNVPTXTargetInfo();
                LLVM.InitializeNVPTXTarget();
                LLVM.InitializeNVPTXTargetMC();
                LLVM.InitializeNVPTXAsmPrinter();
                break;
        }
    }
}
