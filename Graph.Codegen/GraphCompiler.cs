using System.Globalization;
using System.Runtime.InteropServices;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Codegen;

/// <summary>Compiles a module to machine code: optimize, plan memory, lower to kernels, emit.</summary>
public sealed class GraphCompiler : IExecutableCompiler, IGraphCompiler
{
    private const string EntryName = "graphene_entry";

    // About as much as a compilation takes besides constants.
    private const long BytesWorthTrimming = 128 << 20;
    private readonly LlvmTarget _target;
    private readonly KernelTarget _kernelTarget;
    private readonly GraphCompilerOptions _options;

    private GraphCompiler(LlvmTarget target, KernelTarget kernelTarget, GraphCompilerOptions? options)
    {
        _target = target;
        _kernelTarget = kernelTarget;
        _options = options ?? GraphCompilerOptions.Default;
    }

    /// <summary>The build of this compiler, part of every cache key.</summary>
    public static string Version { get; } =
        $"{typeof(GraphCompiler).Assembly.GetName().Version}-{typeof(GraphCompiler).Assembly.ManifestModule.ModuleVersionId:N}" +
        $"-{typeof(GraphOptimizer).Assembly.ManifestModule.ModuleVersionId:N}-{typeof(Op).Assembly.ManifestModule.ModuleVersionId:N}";

    /// <summary>The machine that code is made for.</summary>
    public LlvmTarget Target => _target;

    /// <summary>A compiler for the processor that runs now, using exactly the features that can be checked before code runs.</summary>
    public static GraphCompiler Cpu(GraphCompilerOptions? options = null)
    {
        bool isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        var target = new LlvmTarget(
            isArm ? LlvmTarget.Arm64.Triple : LlvmTarget.X64.Triple,
            isArm ? "generic" : "x86-64",
            string.Join(',', HostProcessor.Features.Select(f => "+" + f)));
        KernelTarget machine = KernelTarget.Of(target, CacheSizes.OfThisMachine()) with { HalvesVectors = HostProcessor.HalvesVectors };
        return new GraphCompiler(target, machine, options);
    }

    /// <summary>
    /// A compiler for an NVIDIA GPU of this machine, through the CUDA driver alone; the driver is loaded when
    /// it is first needed.
    /// </summary>
    /// <param name="options">Choices; <see cref="GraphCompilerOptions.Default"/> when null.</param>
    /// <param name="device">The number of the GPU, as the driver counts them.</param>
    /// <param name="allowTensorFloat32">Whether products of f32 may round their operands to TF32, which keeps 10 bits of fraction.</param>
    /// <remarks>Errors about the driver or the device (GR6501, GR6506) come with the first compilation.</remarks>
    public static GpuCompiler Cuda(GraphCompilerOptions? options = null, int device = 0, bool allowTensorFloat32 = false) =>
        GpuCompiler.ForCuda(options, device, allowTensorFloat32);

    /// <summary>A compiler for a device that is there, which belongs to the caller.</summary>
    /// <param name="device">The device, for example an <see cref="InterpretedGpu"/>.</param>
    /// <param name="options">Choices; <see cref="GraphCompilerOptions.Default"/> when null.</param>
    /// <param name="allowTensorFloat32">Whether products of f32 may round their operands to TF32.</param>
    public static GpuCompiler Gpu(GpuDevice device, GraphCompilerOptions? options = null, bool allowTensorFloat32 = false) =>
        GpuCompiler.For(device, options, allowTensorFloat32);

    /// <summary>A compiler for a GPU that is described; what it makes runs elsewhere, and depends on no device of this machine.</summary>
    /// <param name="target">The GPU.</param>
    /// <param name="options">Choices; <see cref="GraphCompilerOptions.Default"/> when null.</param>
    public static GpuCompiler For(GpuTarget target, GraphCompilerOptions? options = null) => GpuCompiler.For(target, options);

    /// <summary>
    /// A compiler for a machine that is described. What it makes depends on the description, the options and the versions of this
    /// compiler and of LLVM alone: not on the machine that compiles, and not on the number of threads that do.
    /// </summary>
    /// <param name="target">The machine; the code may need more than this one has.</param>
    /// <param name="options">Choices; <see cref="GraphCompilerOptions.Default"/> when null.</param>
    /// <remarks>
    /// For an artifact with several variants use <see cref="Aot.AotTarget.Compilers"/>, which lets them
    /// share their constants.
    /// </remarks>
    public static GraphCompiler For(LlvmTarget target, GraphCompilerOptions? options = null) =>
        For(target, KernelTarget.Of(target, CacheSizes.Of(target)), options);

    internal static GraphCompiler For(LlvmTarget target, KernelTarget kernelTarget, GraphCompilerOptions? options = null) =>
        new(target, kernelTarget, options);

    string IGraphCompiler.Device => "cpu";

    /// <inheritdoc/>
    public string Fingerprint =>
        $"{Version} {_target} {_kernelTarget.Caches} {_kernelTarget.HalvesVectors} {_kernelTarget.Panels} {_options.Fingerprint}";

    /// <summary>The memory that a run of a compiled graph will use, workspaces of its kernels included.</summary>
    /// <param name="optimized">A module that went through all passes.</param>
    public MemoryPlan PlanMemory(Module optimized) => StepLowering.PlanMemory(
        optimized, new KernelCatalog(_kernelTarget.For(_options.Optimizer), optimized), _kernelTarget,
        runsLoopsSideBySide: _target.HasThreads && _options.Optimizer?.ArenaBudgetInBytes is null);

    /// <inheritdoc/>
    /// <exception cref="CompilerBugException">A stage broke an invariant.</exception>
    public Executable Compile(Module module, ILogger logger, CancellationToken cancellation) =>
        CompileForStack(module, logger, cancellation).Executable;

    /// <summary>Compiles, and says how many bytes of stack a run takes besides what calls themselves do.</summary>
    internal (Executable Executable, long StackInBytes) CompileForStack(
        Module module, ILogger logger, CancellationToken cancellation)
    {
        var log = new CompilationLog(logger, module.Name);
        using var llvm = new LlvmQueue(_target, _options.Threads, cancellation);
        var lowering = new GraphLowering(_target, _kernelTarget, _options, new KernelSymbols(), llvm.Add) { NestsCalls = true };
        LoweredModule lowered = lowering.Lower(module, EntryName, log, cancellation);
        byte[][] objects = llvm.Finish();
        log.End("generating machine code");
        var writer = new ConstantWriter();
        ExecutablePlan plan = lowered.Plan with { Buffers = [.. lowered.Constants.Place(writer.Add)] };
        if (writer.Length >= BytesWorthTrimming)
        {
            ProcessMemory.Trim(); // so that weights and what compiling took are not there at the same time
            log.End("giving memory back");
        }
        ConstantData data = writer.ToData();
        log.End("writing constants");
        return (Executable.Create(plan, [.. objects.Select((o, i) => new ObjectCode($"part{i}", o))], data), lowered.StackInBytes);
    }

    // What a session is given: looks into the disk cache first, unless the environment turns it off.
    GraphProgram IGraphCompiler.Compile(Module module, ILogger logger, CancellationToken cancellation) =>
        Cached(logger).Compile(module, logger, cancellation);

    GraphProgram? IGraphCompiler.TryFind(IGraphSource source, ILogger logger) => Cached(logger).TryFind(source, logger);

    GraphProgram IGraphCompiler.Compile(IGraphSource source, ILogger logger, CancellationToken cancellation) =>
        Cached(logger).Compile(source, logger, cancellation);

    private CachedGraphCompiler Cached(ILogger logger) =>
        new(this, "cpu", DiskCache.FromEnvironment(DebugOptions.FromEnvironment(), logger));
}

/// <summary>What a caller may choose about a compilation.</summary>
public sealed record GraphCompilerOptions
{
    /// <summary>The defaults: all passes, all processors.</summary>
    public static GraphCompilerOptions Default { get; } = new();

    /// <summary>Choices of the optimizer.</summary>
    public OptimizerOptions? Optimizer { get; init; }

    /// <summary>
    /// For GPUs: which tiles of products were measured to be the fastest, see <see cref="ProductTuner"/>; null
    /// for the model's choices.
    /// </summary>
    public ProductTuning? Tuning { get; init; }

    /// <summary>How many threads compile; 0 means one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>True for code that reports its kernel calls to <see cref="RunOptions.Profile"/>; it runs a little slower.</summary>
    public bool IsProfiled { get; init; }

    // Whatever changes the code; not what only changes how it is made or what is logged. Tuning is in the key of compilers for GPUs.
    internal string Fingerprint
    {
        get
        {
            OptimizerOptions o = Optimizer ?? OptimizerOptions.Default;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"math {o.FastMath} {o.FoldBatchNorm} {o.Winograd} {o.QuantizedProducts} {o.HalfAttention} "
                + $"folding {o.FoldingBudgetInBytes} {o.FoldingTime.Ticks} "
                + $"sweeps {o.MaxSweeps} fusion {o.MaxFusionSize} arena {o.ArenaBudgetInBytes} "
                + $"without {string.Join(',', o.Debug.DisabledPasses)} {o.Debug.StopAfter} "
                + $"profiled {IsProfiled}");
        }
    }
}
