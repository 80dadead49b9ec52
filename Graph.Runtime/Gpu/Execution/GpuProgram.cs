namespace Graphene.Runtime;

/// <summary>A plan for a GPU with its code and constants on the device, ready to run.</summary>
/// <remarks>
/// A run has a stream and memory of its own, which are kept for the next run (<see cref="Trim"/> frees them). It returns when its results
/// are there.
/// </remarks>
public sealed unsafe class GpuProgram : GraphProgram
{
    private const int MaxIdleFrames = 16;

    private readonly Executable _executable;
    private readonly GpuCode[] _modules;
    private readonly GpuConstants _constants;
    private readonly BufferSizer _sizer;
    private readonly NumberTable _numbers;
    private readonly HostCalls _hostCalls;
    private readonly IdlePool<GpuFrame> _frames = new(MaxIdleFrames);
    private readonly UserCount _users = new();

    private GpuProgram(Executable executable, GpuDevice device, GpuCode[] modules, GpuConstants constants)
        : base(
            executable.Plan.Name,
            executable.Plan.InputTable,
            executable.Plan.OutputTable,
            executable.Plan.SymbolTable,
            executable.Plan.CheckTable)
    {
        _executable = executable;
        _modules = modules;
        _constants = constants;
        GpuDevice = device;
        GpuPlan plan = executable.Plan.Gpu!;
        _sizer = new BufferSizer(Plan, Binder);
        _numbers = new NumberTable(Binder);
        _hostCalls = new HostCalls(Plan.HostCallTable, Binder);
        Steps = new PreparedSteps(plan, [.. plan.Kernels.Select(k => modules[k.Object].Function(k))], _numbers);
        ParameterBuffers = BufferUse.Of(Plan, BufferKind.Parameter);
        ResultBuffers = BufferUse.Of(Plan, BufferKind.Result);
        AliasBuffers = BufferUse.Of(Plan, BufferKind.Alias);
    }

    /// <summary>What it does.</summary>
    public ExecutablePlan Plan => _executable.Plan;

    /// <summary>Where it runs.</summary>
    public GpuDevice GpuDevice { get; }

    internal override GpuDevice? Device => GpuDevice;

    internal PreparedSteps Steps { get; }

    internal nint[] ConstantAddresses => _constants.Addresses;

    internal BufferUse[] ParameterBuffers { get; }

    internal BufferUse[] ResultBuffers { get; }

    internal BufferUse[] AliasBuffers { get; }

    /// <summary>Loads an executable onto a device.</summary>
    /// <param name="executable">Belongs to the program from here on.</param>
    /// <param name="device">Disposed after the program.</param>
    /// <param name="options">How it runs when nobody says how.</param>
    /// <exception cref="GraphException">
    /// GR6504: the executable is for something else. GR6505: the device does not take its code. GR6503: its constants do not fit.
    /// </exception>
    public static GpuProgram Load(Executable executable, GpuDevice device, RunOptions? options = null)
    {
        ExecutablePlan plan = executable.Plan;
        if (WhyNot(plan, device) is { } reason)
        {
            throw CannotRun(plan.Name, device, reason);
        }
        var modules = new List<GpuCode>();
        GpuConstants? constants = null;
        try
        {
            foreach (ObjectCode code in executable.Objects)
            {
                modules.Add(device.LoadCode(code.Name, code.Bytes));
            }
            using GpuStream stream = device.CreateStream();
            constants = new GpuConstants(plan, executable.Constants, device, stream);
            return new GpuProgram(executable, device, [.. modules], constants) { DefaultOptions = options ?? RunOptions.Default };
        }
        catch (Exception e)
        {
            constants?.Dispose();
            modules.ForEach(m => m.Dispose());
            if (e is GpuMemoryException memory)
            {
                throw GpuMemoryReport.OfConstants(plan, device, memory);
            }
            throw;
        }
    }

    /// <summary>The error for code that a device cannot run.</summary>
    internal static GraphException CannotRun(string name, GpuDevice device, string reason) => new(
        GpuDiagnostics.WrongDevice, $"'{name}' cannot run on {device.Name}: {reason}",
        fix: "compile the model for this device, or give it to the device that it was compiled for");

    /// <inheritdoc/>
    public override void Trim() => _frames.Trim();

    internal override void* DefaultOf(int input) => Plan.Inputs[input].DefaultBuffer is >= 0 and var buffer
        ? _executable.Constants.Pointer + Plan.Buffers[buffer].Offset!.Value.Value
        : null;

    internal override NativeBlock AllocateCallMemory(long bytes) => GpuDevice.AllocateHost(bytes);

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        settings.Cancellation.ThrowIfCancellationRequested();
        GpuFrame frame = _frames.TryTake() ?? CreateFrame();
        bool isDone = false;
        try
        {
            Prepare(frame, (GpuBinding)binding, inputs, outputs, settings.Places);
            using var run = new GpuRun(this, frame, settings);
            run.Run(inputs, outputs);
            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                frame.Settle();
            }
            _frames.Return(frame);
        }
    }

    internal void HandleHostCall(GpuFrame frame, int id, void** arguments, in RunSettings settings) =>
        _hostCalls.Handle(id, arguments, frame.Binding.Symbols, settings.PrintOutput, settings.TapOutput);

    internal void ReleaseUser()
    {
        if (_users.Leave())
        {
            Array.ForEach(_modules, m => m.Dispose());
            _constants.Dispose();
            _executable.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _users.Close())
        {
            _frames.Dispose();
            ReleaseUser();
        }
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        (long[] bytes, long[] offsets, long arenaBytes) = _sizer.Compute(symbols);
        long[] numbers = _numbers.Evaluate(symbols);
        Steps.Check(numbers, bytes);
        long[][] outputShapes = OutputShapes(symbols);
        return new GpuBinding
        {
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = outputShapes,
            InputBytes = InputBytes(inputExtents),
            OutputBytes = OutputBytes(outputShapes),
            BufferBytes = bytes,
            BufferOffsets = offsets,
            ArenaBytes = arenaBytes,
            Numbers = numbers,
        };
    }

    // On the device; what the caller holds in the host's memory is counted by the caller's own kind of memory.
    private protected override MemoryUse RunMemory(ShapeBinding binding) => new()
    {
        Arena = ((GpuBinding)binding).ArenaBytes,
        Constants = _constants.Bytes,
    };

    private static string? WhyNot(ExecutablePlan plan, GpuDevice device) =>
        plan.Gpu is not { } gpu ? $"it is code for {plan.TargetTriple.Split('-')[0]}"
        : gpu.Form != device.CodeForm ? $"its code is {gpu.Form}, the device takes {device.CodeForm}"
        : device.WhyNot(plan.CpuFeatures);

    // What idle frames hold is worth less than a run that fails for want of it.
    private void Prepare(GpuFrame frame, GpuBinding binding, void** inputs, void** outputs, MemoryPlaces? places)
    {
        try
        {
            frame.Prepare(binding, places, inputs, outputs);
        }
        catch (GpuMemoryException)
        {
            frame.FreeMemory();
            _frames.Trim();
            try
            {
                frame.Prepare(binding, places, inputs, outputs);
            }
            catch (GpuMemoryException e)
            {
                throw GpuMemoryReport.OfRun(this, binding, places, e);
            }
        }
    }

    private GpuFrame CreateFrame()
    {
        _users.Enter(this);
        try
        {
            return new GpuFrame(this);
        }
        catch
        {
            ReleaseUser();
            throw;
        }
    }
}
