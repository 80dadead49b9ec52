using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Codegen;

/// <summary>
/// Compiles graphs for a GPU: what <see cref="GraphCompiler"/> does for processors up to the schedules, and kernels
/// with threads from there.
/// </summary>
/// <remarks>
/// Made by <see cref="GraphCompiler.Cuda"/> and <see cref="GraphCompiler.Gpu"/>. Nothing of the driver is loaded before something is
/// compiled or loaded.
/// </remarks>
public sealed class GpuCompiler : IExecutableCompiler, IGraphCompiler, IDisposable
{
    private readonly Lazy<GpuDevice>? _device;
    private readonly bool _ownsDevice;
    private readonly Lazy<GpuTarget> _target;
    private readonly GpuCodeForm _form;
    private readonly string _name;
    private readonly GraphCompilerOptions _options;

    private GpuCompiler(
        Lazy<GpuDevice>? device, bool ownsDevice, Lazy<GpuTarget> target, GpuCodeForm form, string name, GraphCompilerOptions? options)
    {
        _device = device;
        _ownsDevice = ownsDevice;
        _target = new Lazy<GpuTarget>(() => target.Value with { Tuning = options?.Tuning ?? target.Value.Tuning });
        _form = form;
        _name = name;
        _options = options ?? GraphCompilerOptions.Default;
    }

    /// <summary>The GPU that code is made for.</summary>
    public GpuTarget Target => _target.Value;

    /// <summary>The device that programs run on.</summary>
    /// <exception cref="InvalidOperationException">The compiler was made for a GPU that is described, and has no device.</exception>
    public GpuDevice Device => _device?.Value ?? throw new InvalidOperationException(
        $"this compiler makes code for {Target} and has no device to run it on; see GraphCompiler.Cuda()");

    internal GraphCompilerOptions Options => _options;

    string IGraphCompiler.Device => _name;

    /// <inheritdoc/>
    public string Fingerprint => $"{GraphCompiler.Version} gpu {_form} {Target} {Target.Multiprocessors} {Target.SharedBytesPerTask} " +
        $"{Target.AllowsTensorFloat32} {Target.CutsSums} {Target.Tuning?.Fingerprint} {_options.Fingerprint}";

    /// <summary>A compiler for a device that is opened when it is needed.</summary>
    internal static GpuCompiler ForCuda(GraphCompilerOptions? options, int device, bool allowTensorFloat32)
    {
        var opened = new Lazy<GpuDevice>(() => CudaDevice.Open(device));
        return new GpuCompiler(
            opened, ownsDevice: true, new Lazy<GpuTarget>(() => TargetOf(opened.Value, allowTensorFloat32)), GpuCodeForm.Ptx,
            "cuda", options);
    }

    /// <summary>A compiler for a device that is there.</summary>
    internal static GpuCompiler For(GpuDevice device, GraphCompilerOptions? options, bool allowTensorFloat32) => new(
        new Lazy<GpuDevice>(device), ownsDevice: false, new Lazy<GpuTarget>(TargetOf(device, allowTensorFloat32)), device.CodeForm,
        device.CodeForm == GpuCodeForm.Ptx ? "cuda" : "interpreter", options);

    /// <summary>A compiler for a GPU that is described.</summary>
    internal static GpuCompiler For(GpuTarget target, GraphCompilerOptions? options) =>
        new(null, ownsDevice: false, new Lazy<GpuTarget>(target), GpuCodeForm.Ptx, "cuda", options);

    /// <summary>The memory that a run of a compiled graph will use on the device, workspaces of its kernels included.</summary>
    /// <param name="optimized">A module that went through all passes.</param>
    public MemoryPlan PlanMemory(Module optimized) =>
        StepLowering.PlanMemory(optimized, new KernelCatalog(KernelTarget.Of(Target), optimized), KernelTarget.Of(Target));

    /// <inheritdoc/>
    /// <exception cref="CompilerBugException">A stage broke an invariant.</exception>
    public Executable Compile(Module module, ILogger logger, CancellationToken cancellation)
    {
        var log = new CompilationLog(logger, module.Name);
        if (Target.Tuning is { } tuning)
        {
            int own = tuning.CountFor(Target);
            log.Note(
                $"{own} measured products are for {Target} with {Target.Multiprocessors} multiprocessors; "
                + $"{tuning.Count - own} are for other GPUs and left alone");
        }
        using IGpuCodeWriter code = _form == GpuCodeForm.Ptx
            ? new PtxWriter(Target, _options.Threads, cancellation)
            : new KernelTextWriter();
        var library = new GpuKernelLibrary(code);
        LoweredSteps lowered = new StepLowering(KernelTarget.Of(Target), _options).Lower(module, _ => library, log, cancellation);
        var steps = new GpuPlanBuilder(library).Build(lowered.Steps);
        log.End("planning launches", $"{library.Kernels.Count} of {library.Specs.Count} kernels are distinct");
        IReadOnlyList<ObjectCode> objects = code.Finish();
        log.End("generating code");
        if (code is PtxWriter { Module: { } ptx })
        {
            log.Dump(_options, ptx.Dump);
        }
        var writer = new ConstantWriter();
        ExecutablePlan plan = lowered.Description with
        {
            TargetTriple = GpuPlan.Triple,
            CpuFeatures = Target.ToString(),
            EntrySymbol = GpuPlan.Entry,
            Buffers = [.. lowered.Constants.Place(writer.Add)],
            Gpu = new GpuPlan { Form = _form, Kernels = [.. library.Kernels], Steps = steps },
        };
        ConstantData data = writer.ToData();
        log.End("writing constants");
        return Executable.Create(plan, objects, data);
    }

    /// <inheritdoc/>
    public GraphProgram Load(Executable executable) => GpuProgram.Load(executable, Device);

    // What a session is given: looks into the disk cache first, unless the environment turns it off.
    GraphProgram IGraphCompiler.Compile(Module module, ILogger logger, CancellationToken cancellation) =>
        Cached(logger).Compile(module, logger, cancellation);

    GraphProgram? IGraphCompiler.TryFind(IGraphSource source, ILogger logger) => Cached(logger).TryFind(source, logger);

    GraphProgram IGraphCompiler.Compile(IGraphSource source, ILogger logger, CancellationToken cancellation) =>
        Cached(logger).Compile(source, logger, cancellation);

    /// <summary>Lets go of the device, if this compiler opened it; programs that it compiled are disposed before.</summary>
    public void Dispose()
    {
        if (_ownsDevice && _device!.IsValueCreated)
        {
            _device.Value.Dispose();
        }
    }

    private static GpuTarget TargetOf(GpuDevice device, bool allowTensorFloat32) =>
        new GpuTarget(device.Architecture, HasArchitectureFeatures: device.Architecture == 90) with
        {
            Multiprocessors = device.Multiprocessors,
            AllowsTensorFloat32 = allowTensorFloat32,
        };

    private CachedGraphCompiler Cached(ILogger logger) =>
        new(this, _name, DiskCache.FromEnvironment(DebugOptions.FromEnvironment(), logger));
}
