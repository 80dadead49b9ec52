using System.Globalization;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <summary>What PTX is written for: the architecture, and the lowest version of the language that has it.</summary>
/// <remarks>
/// Every instruction that kernels use is there since the version that brought its architecture (cp.async and mma of 16 x 8 since 7.0 for
/// sm_80, wgmma since 8.0 for sm_90a), so the architecture alone decides, and the oldest driver that knows the GPU takes the text.
/// LLVM 19 knows no architecture after sm_90a. Later ones get PTX for sm_90, which every later driver translates for them; only the
/// features of one architecture alone, as in sm_90a, cannot be translated for another.
/// </remarks>
public sealed record PtxTarget
{
    /// <summary>What the names of targets begin with: <c>nvptx:sm_90a</c>.</summary>
    public const string TargetPrefix = "nvptx:";

    private const string Triple = "nvptx64-nvidia-cuda";

    // Architectures that LLVM can write for, with the version of PTX that brought each.
    private static readonly (int Architecture, int Version)[] Known =
    [
        (70, 60), (72, 61), (75, 63), (80, 70), (86, 71), (87, 74), (89, 78), (90, 78),
    ];

    private const int VersionOfArchitectureFeatures = 80;

    private PtxTarget(GpuTarget gpu)
    {
        Gpu = gpu;
        (Architecture, int version) = Array.FindLast(Known, k => k.Architecture <= gpu.Architecture);
        HasArchitectureFeatures = gpu.HasArchitectureFeatures && Architecture == gpu.Architecture;
        Version = HasArchitectureFeatures ? VersionOfArchitectureFeatures : version;
        Machine = new LlvmTarget(Triple, Name, $"+ptx{Version}");
    }

    /// <summary>The GPU.</summary>
    public GpuTarget Gpu { get; }

    /// <summary>The architecture of the text: that of the GPU, or the last one before it that LLVM knows.</summary>
    public int Architecture { get; }

    /// <summary>Whether the text is for that architecture alone.</summary>
    public bool HasArchitectureFeatures { get; }

    /// <summary>The version of the language, ten times: 70 for 7.0.</summary>
    public int Version { get; }

    /// <summary>What LLVM calls it.</summary>
    public LlvmTarget Machine { get; }

    /// <summary>Whether the text is for an older architecture than the GPU, and is translated when it is loaded.</summary>
    public bool IsOlder => Architecture != Gpu.Architecture;

    /// <summary>As in PTX: <c>sm_90a</c>.</summary>
    public string Name => $"sm_{Architecture}{(HasArchitectureFeatures ? "a" : "")}";

    /// <summary>What PTX is written for a GPU.</summary>
    /// <exception cref="GraphException">GR5070: the GPU is older than sm_70.</exception>
    public static PtxTarget Of(GpuTarget gpu) => gpu.Architecture >= Known[0].Architecture
        ? new PtxTarget(gpu)
        : throw new GraphException(
            CodegenDiagnostics.GpuTooOld,
            $"target: no code is generated for {gpu}",
            where: $"{TargetPrefix}{gpu}",
            why: "threads of a warp go their own ways, and meet again, since sm_70 (Volta, 2017); the kernels count on it",
            fix: "use a GPU of sm_70 or later, or the processor");

    /// <summary>What PTX is written for an architecture that is named.</summary>
    /// <param name="text">As in PTX: <c>sm_80</c>, <c>sm_90a</c>.</param>
    /// <exception cref="GraphException">GR5010: there is no such architecture. GR5070: the GPU is older than sm_70.</exception>
    public static PtxTarget Parse(string text)
    {
        bool hasFeatures = text.EndsWith('a');
        string number = text.StartsWith("sm_", StringComparison.Ordinal) ? text[3..(hasFeatures ? ^1 : ^0)] : "";
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int architecture)
            && architecture is >= 10 and < 1000
            ? Of(new GpuTarget(architecture, hasFeatures))
            : throw new GraphException(
                CodegenDiagnostics.UnknownTarget,
                $"target: there is no GPU '{text}'",
                where: $"{TargetPrefix}{text}",
                why: "GPUs are called by their compute capability, as in sm_80, sm_90 or sm_90a",
                fix: $"pass {TargetPrefix}sm_80, which every GPU since 2020 runs, or what the GPU says of itself");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}, PTX {Version / 10}.{Version % 10}";
}
