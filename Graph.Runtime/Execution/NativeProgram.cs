namespace Graphene.Runtime;

/// <summary>Compiled code in memory, ready to run.</summary>
public sealed unsafe class NativeProgram : GraphProgram
{
    private const int MaxIdleFrames = 16;

    // A program that runs once or twice is not worth a copy of its constants.
    private const int RunsBeforeHugePages = 3;

    private readonly Executable _executable;
    private readonly LoadedCode? _code;
    private readonly NativeEntry _entry;
    private readonly BufferSizer _sizer;
    private readonly HostCalls? _hostCalls; // null where there are none
    private readonly IdlePool<RunFrame> _frames = new(MaxIdleFrames);
    private readonly BufferUse[] _copiedOutputs;
    private readonly UserCount _users = new();
    private int _runsBeforeHugePages;

    private NativeProgram(Executable executable, LoadedCode? code, NativeEntry entry)
        : base(
            executable.Plan.Name,
            executable.Plan.InputTable,
            executable.Plan.OutputTable,
            executable.Plan.SymbolTable,
            executable.Plan.CheckTable)
    {
        _executable = executable;
        _code = code;
        _entry = entry;
        _sizer = new BufferSizer(Plan, Binder);
        _hostCalls = Plan.HostCallTable.Length == 0 ? null : new HostCalls(Plan.HostCallTable, Binder);
        _runsBeforeHugePages = executable.Constants.MayMoveToHugePages ? RunsBeforeHugePages : 0;
        ParameterBuffers = BufferUse.Of(Plan, BufferKind.Parameter);
        ResultBuffers = BufferUse.Of(Plan, BufferKind.Result);
        AliasBuffers = BufferUse.Of(Plan, BufferKind.Alias);
        _copiedOutputs = BufferUse.OfCopiedOutputs(Plan);
    }

    /// <summary>How the code is called.</summary>
    public ExecutablePlan Plan => _executable.Plan;

    /// <summary>Bytes of machine code and its data in memory.</summary>
    public long CodeBytes => _code?.SizeInBytes ?? 0;

    /// <summary>The entry function, for measuring what a run costs beside it.</summary>
    internal NativeEntry Entry => _entry;

    internal ConstantData Constants => _executable.Constants;

    internal BufferUse[] ParameterBuffers { get; }

    internal BufferUse[] ResultBuffers { get; }

    internal BufferUse[] AliasBuffers { get; }

    /// <summary>Loads the code of an executable, which belongs to the program from here on.</summary>
    /// <exception cref="GraphException">
    /// GR6103: this processor cannot run the code. GR6202: a symbol cannot be computed from the inputs' shapes.
    /// </exception>
    /// <exception cref="ObjectLoadException">The machine code is damaged.</exception>
    public static NativeProgram Load(Executable executable) => Load(executable, RunOptions.Default);

    // What beforeExecution throws keeps the code from becoming executable.
    internal static NativeProgram Load(Executable executable, RunOptions options, Action? beforeExecution = null)
    {
        ExecutablePlan plan = executable.Plan;
        if (ProcessorFit.WhyNot(plan.TargetTriple, plan.CpuFeatures) is { } reason)
        {
            throw ProcessorFit.Error(plan.Name, reason);
        }
        LoadedCode code = LoadedCode.LoadObjects(executable.Objects, beforeExecution: beforeExecution);
        try
        {
            if (DebugOptions.PerfMapFromEnvironment())
            {
                PerfMap.Add(code);
            }
            return code.TryGetFunction(plan.EntrySymbol, out nint address)
                ? new NativeProgram(executable, code, new NativeEntry(address)) { DefaultOptions = options }
                : throw new ObjectLoadException(plan.Name, $"it has no entry function '{plan.EntrySymbol}'");
        }
        catch
        {
            code.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Trim() => _frames.Trim();

    /// <summary>For tests: a plan with an entry function that is in the process already.</summary>
    internal static NativeProgram FromEntry(Executable executable, NativeEntry entry) => new(executable, null, entry);

    internal override void* DefaultOf(int input) => Plan.InputTable[input].DefaultBuffer is >= 0 and var buffer
        ? Constants.Pointer + Plan.BufferTable[buffer].Offset!.Value.Value
        : null;

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        settings.Cancellation.ThrowIfCancellationRequested();
        RunFrame frame = _frames.TryTake() ?? CreateFrame();
        try
        {
            frame.Prepare((NativeBinding)binding, inputs, outputs, settings);
            if (_runsBeforeHugePages > 0 && settings.HugePages && Interlocked.Decrement(ref _runsBeforeHugePages) == 0)
            {
                MoveConstantsToHugePages();
            }
            NativeError error = Invoke(frame, settings);
            if (error != NativeError.None)
            {
                throw Failure(error, frame, settings.Cancellation);
            }
            foreach (var (buffer, output) in _copiedOutputs)
            {
                long bytes = binding.OutputBytes[output];
                Buffer.MemoryCopy(frame.Context->Buffers[buffer], outputs[output], bytes, bytes);
            }
        }
        finally
        {
            _frames.Return(frame);
        }
    }

    /// <summary>Calls the entry function with a frame that is prepared.</summary>
    private NativeError Invoke(RunFrame frame, in RunSettings settings)
    {
        using CancellationTokenRegistration registration = frame.Flag.Connect(settings.Cancellation);
        if (frame.Context->Threads == 1)
        {
            return _entry.Invoke(frame.Context);
        }
        settings.Pool.BeginRun();
        try
        {
            return _entry.Invoke(frame.Context);
        }
        finally
        {
            settings.Pool.EndRun();
        }
    }

    // Beside the runs; the frame of the present one keeps the program alive until it is counted as a user.
    private void MoveConstantsToHugePages()
    {
        _users.EnterAgain();
        ThreadPool.UnsafeQueueUserWorkItem(static program =>
        {
            try
            {
                program.Constants.MoveToHugePages(() => !program._users.IsClosed);
            }
            finally
            {
                program.ReleaseUser();
            }
        }, this, preferLocal: false);
    }

    internal void HandleHostCall(RunFrame frame, long id, void** arguments)
    {
        var symbols = new ReadOnlySpan<long>(frame.Context->Symbols, SymbolTable.Length);
        (_hostCalls ?? throw new CompilerBugException($"code of '{Name}'", $"it made host call {id}, and has none"))
            .Handle(id, arguments, symbols, frame.PrintOutput, frame.TapOutput);
    }

    internal void ReleaseUser()
    {
        if (_users.Leave())
        {
            _code?.Dispose();
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
        var (bytes, offsets, arenaBytes) = _sizer.Compute(symbols);
        long[][] outputShapes = OutputShapes(symbols);
        return new NativeBinding
        {
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = outputShapes,
            InputBytes = InputBytes(inputExtents),
            OutputBytes = OutputBytes(outputShapes),
            BufferBytes = bytes,
            BufferOffsets = offsets,
            ArenaBytes = arenaBytes,
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) => new()
    {
        Arena = ((NativeBinding)binding).ArenaBytes,
        Tables = RunFrame.TableBytes(Plan.BufferTable.Length, SymbolTable.Length),
        Constants = Constants.Length,
    };

    private RunFrame CreateFrame()
    {
        _users.Enter(this);
        try
        {
            return new RunFrame(this);
        }
        catch
        {
            ReleaseUser();
            throw;
        }
    }

    private Exception Failure(NativeError error, RunFrame frame, CancellationToken cancellation)
    {
        long detail = frame.Context->ErrorDetail;
        return error switch
        {
            NativeError.Cancelled => new OperationCanceledException($"the run of '{Name}' was cancelled", cancellation),
            NativeError.CheckFailed => new GraphException(
                RuntimeDiagnostics.RunTimeCheck,
                $"a check failed while '{Name}' ran",
                where: detail >= 0 && detail < Plan.NativeCheckTable.Length ? Plan.NativeCheckTable[(int)detail] : null,
                why: "values or shapes that were fed do not fit what the graph does with them",
                fix: "look at the values that reach the place named above"),
            NativeError.HostCallFailed when frame.HostError is { } inner => Rethrown(inner),
            _ => new CompilerBugException($"code of '{Name}'", $"it ended with error {(int)error}, detail {detail}"),
        };
    }

    private static Exception Rethrown(Exception inner) => inner is GraphException graph
        ? new GraphException(graph.Id, graph.What, graph.Where, graph.Why, graph.Fix, inner)
        : inner;
}
