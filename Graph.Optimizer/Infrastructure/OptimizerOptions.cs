namespace Graphene.Optimizer;

/// <summary>What a caller may choose about optimization. The defaults change results by rounding only.</summary>
public sealed record OptimizerOptions
{
    /// <summary>The defaults.</summary>
    public static OptimizerOptions Default { get; } = new();

    /// <summary>Allows rules that treat floating-point arithmetic as if it were real. Off by default.</summary>
    public bool FastMath { get; init; }

    /// <summary>
    /// Allows batch normalization with constant statistics to be folded into the weights before it. An exception to exact rules that
    /// is on by default: every inference compiler does it, and results change by rounding only.
    /// </summary>
    public bool FoldBatchNorm { get; init; } = true;

    /// <summary>
    /// The largest tiles in which 3x3 convolutions of f32 with constant kernels may be computed by Winograd's minimal filtering, where
    /// that is faster on a processor. The other exception to exact rules that is on by default: tiles of 2 x 2 err less than the
    /// definition's own sums (see docs/numerics.md).
    /// </summary>
    public WinogradTiles Winograd { get; init; } = WinogradTiles.TwoByTwo;

    /// <summary>
    /// Multiplies stored bytes where a graph dequantizes both factors of a dot or convolution, and scales the exact sums. The third exception
    /// to exact rules that is on by default: it is what such graphs are written for, and sums of integers have no error.
    /// </summary>
    public bool QuantizedProducts { get; init; } = true;

    /// <summary>
    /// Finds attention of f16 and bf16, too. For back ends whose kernels take them: off by default, because the processor's does not.
    /// </summary>
    public bool HalfAttention { get; init; }

    /// <summary>What the machine's kernels can do. Compilers for GPUs set it.</summary>
    public MachineTraits Machine { get; init; } = MachineTraits.Processor;

    /// <summary>Bytes of new constants that folding may make, over what it frees.</summary>
    public long FoldingBudgetInBytes { get; init; } = 256L << 20;

    /// <summary>Time that constant folding may take in all.</summary>
    public TimeSpan FoldingTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Sweeps over a computation after which a rewriting pass gives up; reaching it is logged as a defect.</summary>
    public int MaxSweeps { get; init; } = 25;

    /// <summary>Ops that one fusion may hold.</summary>
    public int MaxFusionSize { get; init; } = 256;

    /// <summary>
    /// The scratch memory that a run may take: values are computed again rather than kept until the plan meets it, and it is an error
    /// when it cannot be met. Null for no limit. Sizes that depend on symbols count with typical values.
    /// </summary>
    public long? ArenaBudgetInBytes { get; init; }

    /// <summary>Keep the reasons why nodes were not fused, for <c>graphene inspect</c>.</summary>
    public bool Explain { get; init; }

    /// <summary>Check the graph after each pass. <see cref="DebugOptions.Verify"/> has the last word.</summary>
    public bool Verify { get; init; }

    /// <summary>The GRAPHENE_* switches.</summary>
    public DebugOptions Debug { get; init; } = DebugOptions.None;

    /// <summary>Receives what passes have to say, one line each.</summary>
    public Action<string>? Log { get; init; }
}
