using System.Collections.Immutable;
using Graphene.Codegen.Llvm;
using Graphene.Codegen.Ptx;

namespace Graphene.Codegen.Aot;

/// <summary>
/// What an artifact is made for: one kind of machine, and the variants of it that the artifact has code for, from the plainest to the
/// most capable. Nothing in it depends on the machine that compiles.
/// </summary>
/// <param name="Name">The name, as <see cref="Parse"/> takes it.</param>
/// <param name="Summary">A line for people.</param>
/// <param name="Variants">
/// At least one; all of one architecture and operating system. Whoever loads the code takes the last one that runs.
/// </param>
public sealed record AotTarget(string Name, string Summary, ImmutableArray<AotVariant> Variants)
{
    private const string RiscVBase = "+m,+a,+f,+d,+c";

    private static readonly AotVariant X64Baseline = new("baseline", LlvmTarget.X64);
    private static readonly AotVariant X64V3 = new("v3", LlvmTarget.X64V3);
    private static readonly AotVariant X64V4 = new("v4", LlvmTarget.X64V4);
    private static readonly AotVariant RiscV = new("base", new LlvmTarget("riscv64-unknown-linux-gnu", "generic-rv64", RiscVBase));
    private static readonly AotVariant RiscVVectors = new(
        "v", new LlvmTarget("riscv64-unknown-linux-gnu", "generic-rv64", RiscVBase + ",+v"));

    private static readonly AotVariant Arm32 = new("vfp", LlvmTarget.Arm32);
    private static readonly AotVariant Arm32Neon = new("neon", LlvmTarget.Arm32Neon);
    private static readonly AotVariant CortexM4 = new("m4", LlvmTarget.CortexM4);

    private static readonly AotVariant Wasm = new("base", LlvmTarget.Wasm32);
    private static readonly AotVariant WasmSimd = new("simd", LlvmTarget.Wasm32Simd);

    /// <summary>The targets with names.</summary>
    public static ImmutableArray<AotTarget> Named { get; } =
    [
        new("x86-64", "every 64-bit x86, with code for SSE2, AVX2 and AVX-512", [X64Baseline, X64V3, X64V4]),
        Single("x86-64-baseline", "every 64-bit x86: SSE2, no fused multiply-add", X64Baseline),
        Single("x86-64-v3", "x86 servers since 2015: AVX2, FMA, F16C", X64V3),
        Single("x86-64-v4", "x86 with AVX-512 F, BW, CD, DQ and VL", X64V4),
        Single("aarch64", "every 64-bit ARM: NEON", new AotVariant("neon", LlvmTarget.Arm64)),
        new("riscv64-all", "every rv64gc, with code for processors with vectors and without", [RiscV, RiscVVectors]),
        Single("riscv64", "rv64gc, no vectors", RiscV),
        Single("riscv64-v", "rv64gcv: vectors of at least 128 bits", RiscVVectors),
        Single("armv7", "32-bit ARM with VFPv3 and hard float, no vectors", Arm32),
        Single("armv7-neon", "32-bit ARM with NEON and VFPv4; denormal f32 count as zero", Arm32Neon),
        Single("thumbv7em", "Cortex-M4F and M7 without an operating system: objects and archives", CortexM4),
        new("wasm32-all", "WebAssembly, with modules for engines with SIMD and without", [Wasm, WasmSimd]),
        Single("wasm32", "WebAssembly without SIMD", Wasm),
        Single("wasm32-simd", "WebAssembly with SIMD of 128 bits", WasmSimd),
    ];

    /// <summary>The instruction set of all variants.</summary>
    public LlvmArchitecture Architecture => Variants[0].Machine.Architecture;

    /// <summary>The GPU that the target is; null for processors.</summary>
    public GpuTarget? Gpu => Architecture == LlvmArchitecture.Nvptx64 ? PtxTarget.Parse(Variants[0].Name).Gpu : null;

    /// <summary>A target by its name, or by LLVM's words for it.</summary>
    /// <param name="text">
    /// A name of <see cref="Named"/>, a triple such as <c>aarch64-unknown-linux-gnu</c>, or a GPU: <c>nvptx:sm_90a</c>.
    /// </param>
    /// <param name="cpu">A processor as in <c>-mcpu</c>, to tune for and to take instructions from; empty for the target's own.</param>
    /// <param name="features">Features added or removed, such as <c>+dotprod,-avx512vl</c>; may be empty.</param>
    /// <remarks>
    /// Schedules know about vectors from features alone: with a processor's name say them too (<c>--cpu=znver4
    /// --features=+avx512f,+avx512vl</c>), or begin with a name that has them (<c>x86-64-v4 --cpu=znver4</c>).
    /// </remarks>
    /// <exception cref="GraphException">
    /// GR5010: no target has the name. GR5011: a processor or features are given for a target with several variants, or
    /// a GPU. GR5002: there is no code generator for the triple. GR5070: the GPU is too old.
    /// </exception>
    public static AotTarget Parse(string text, string cpu = "", string features = "")
    {
        if (text.StartsWith(PtxTarget.TargetPrefix, StringComparison.Ordinal))
        {
            return OfGpu(text, cpu, features);
        }
        AotTarget target = Named.FirstOrDefault(t => t.Name == text) ?? OfTriple(text);
        if (cpu.Length == 0 && features.Length == 0)
        {
            return target;
        }
        if (target.Variants is not [var variant])
        {
            throw new GraphException(
                CodegenDiagnostics.AmbiguousVariant,
                $"target: '{text}' has several variants, and a processor or features describe one",
                where: $"--cpu '{cpu}', --features '{features}'",
                why: $"'{text}' has code for {string.Join(", ", target.Variants.Select(v => v.Name))}",
                fix: "name the variant, such as x86-64-v3, or leave the processor and the features out");
        }
        LlvmTarget machine = variant.Machine;
        string own = cpu.Length > 0 ? machine.RequiredFeatures : machine.Features;
        string all = string.Join(',', new[] { own, features }.Where(f => f.Length > 0));
        machine = new LlvmTarget(machine.Triple, cpu.Length > 0 ? cpu : machine.Cpu, all);
        return Single(machine.ToString(), target.Summary, variant with { Machine = machine });
    }

    /// <summary>
    /// The compilers of all variants, in their order. Constants that one of them writes are those of the
    /// others, byte for byte.
    /// </summary>
    /// <param name="options">The same choices for all; <see cref="GraphCompilerOptions.Default"/> when null.</param>
    public ImmutableArray<GraphCompiler> Compilers(GraphCompilerOptions? options = null) =>
        [.. Variants.Zip(KernelTargets(), (v, machine) => GraphCompiler.For(v.Machine, machine, options))];

    /// <summary>What schedules know about each variant; they pack constants in one form for all of them.</summary>
    /// <exception cref="GraphException">GR5071: the target is a GPU.</exception>
    internal ImmutableArray<KernelTarget> KernelTargets()
    {
        if (Architecture == LlvmArchitecture.Nvptx64)
        {
            throw new GraphException(
                CodegenDiagnostics.NotForGpus,
                "target: a GPU runs no code of this form",
                where: $"--target {Name}",
                why: "objects and libraries hold functions that a processor calls; a GPU is given kernels, as PTX",
                fix: "write a bundle or PTX (--emit bundle, --emit ptx), or name a processor");
        }
        KernelTarget[] machines = [.. Variants.Select(v => KernelTarget.Of(v.Machine, v.Caches))];
        SharedPanels? panels = machines.Length > 1 ? SharedPanels.Of(machines) : null;
        return [.. machines.Select(m => panels is null ? m : m with { Panels = panels, Dots = panels.Dots })];
    }

    // A GPU is one machine, described by its name alone.
    private static AotTarget OfGpu(string text, string cpu, string features)
    {
        var target = PtxTarget.Parse(text[PtxTarget.TargetPrefix.Length..]);
        return cpu.Length == 0 && features.Length == 0
            ? Single(text, $"GPUs, as {target}", new AotVariant(target.Gpu.ToString(), target.Machine))
            : throw new GraphException(
                CodegenDiagnostics.AmbiguousVariant,
                $"target: '{text}' says all of a GPU",
                where: $"--cpu '{cpu}', --features '{features}'",
                why: "they describe processors",
                fix: "leave them out");
    }

    private static AotTarget Single(string name, string summary, AotVariant variant) => new(name, summary, [variant]);

    private static AotTarget OfTriple(string text)
    {
        if (!text.Contains('-', StringComparison.Ordinal) || text.StartsWith("x86-64", StringComparison.Ordinal) ||
            text.StartsWith("riscv64-v", StringComparison.Ordinal) ||
            text.StartsWith("armv7-neon", StringComparison.Ordinal) ||
            text.StartsWith("wasm32-simd", StringComparison.Ordinal))
        {
            throw new GraphException(
                CodegenDiagnostics.UnknownTarget,
                $"target: there is none called '{text}'",
                where: $"--target {text}",
                why: $"the targets are {string.Join(", ", Named.Select(t => t.Name))}",
                fix: $"pass one of them, or a whole triple such as {LlvmTarget.X64.Triple}");
        }
        var machine = new LlvmTarget(text);
        _ = machine.Architecture; // throws where there is no code generator
        return Single(text, $"LLVM's target {text}", new AotVariant("base", machine));
    }
}
