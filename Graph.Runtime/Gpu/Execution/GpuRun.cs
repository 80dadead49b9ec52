namespace Graphene.Runtime;

/// <summary>One run of a plan on a GPU: goes through the steps, and is the only one that decides anything while it lasts.</summary>
/// <param name="program">The plan.</param>
/// <param name="frame">Stream and addresses.</param>
/// <param name="settings">The caller's.</param>
internal sealed unsafe class GpuRun(GpuProgram program, GpuFrame frame, RunSettings settings) : IDisposable
{
    // Below this many pieces of work a graph is no faster than starting them one by one.
    private const int WorthCapturing = 2;

    private readonly LaunchTimes? _times = settings.Profile is { } profile ? new LaunchTimes(program.GpuDevice, profile) : null;

    /// <summary>Does all steps, and waits for none but those that the host decides about.</summary>
    public void Run(void** inputs, void** outputs)
    {
        settings.Profile?.BeginRun();
        frame.Upload(inputs);
        Run(program.Steps.Steps);
        frame.Download(outputs);
        frame.Stream.Synchronize();
        _times?.Collect();
        settings.Cancellation.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose() => _times?.Dispose();

    private void Run(PreparedStep[] steps)
    {
        foreach (PreparedStep step in steps)
        {
            settings.Cancellation.ThrowIfCancellationRequested();
            switch (step)
            {
                case PreparedStep.Segment segment:
                    Run(segment);
                    break;
                case PreparedStep.Loop loop:
                    Run(loop.Condition);
                    while (frame.Read(loop.Predicate, sizeof(bool)) != 0)
                    {
                        _times?.Collect();
                        settings.Cancellation.ThrowIfCancellationRequested();
                        Run(loop.Body);
                        Run(loop.Condition);
                    }
                    break;
                case PreparedStep.Branch branch:
                    Run(branch.Branches[Choose(branch)]);
                    break;
                case PreparedStep.HostCall call:
                    Call(call);
                    break;
                default:
                    throw new CompilerBugException("GPU plan", $"unknown step {step}");
            }
        }
    }

    // As the processor's code does it: true is the first branch, and a number that is out of range the last.
    private int Choose(PreparedStep.Branch branch)
    {
        int last = branch.Branches.Length - 1;
        int value = frame.Read(branch.Selector, branch.IsBool ? sizeof(bool) : sizeof(int));
        return branch.IsBool ? (value != 0 ? 0 : last) : value < 0 || value > last ? last : value;
    }

    private void Call(PreparedStep.HostCall call)
    {
        var values = new NativeBlock[call.Arguments.Length];
        try
        {
            nint* pointers = stackalloc nint[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = frame.ReadAll(call.Arguments[i]);
                pointers[i] = (nint)values[i].Pointer;
            }
            program.HandleHostCall(frame, call.Id, (void**)pointers, settings);
        }
        finally
        {
            Array.ForEach(values, v => v?.Dispose());
        }
    }

    private void Run(PreparedStep.Segment segment)
    {
        if (_times is not null || segment.Work.Length < WorthCapturing)
        {
            Start(segment.Work, isCaptured: false);
            return;
        }
        CapturedSegments captured = frame.Captured;
        if (captured[segment.Number] is null)
        {
            if (!captured.WasSeen(segment.Number))
            {
                Start(segment.Work, isCaptured: false);
                return;
            }
            captured[segment.Number] = Capture(segment);
        }
        frame.Stream.Launch(captured[segment.Number]!);
    }

    private GpuGraph Capture(PreparedStep.Segment segment)
    {
        frame.Stream.BeginCapture();
        try
        {
            Start(segment.Work, isCaptured: true);
        }
        catch
        {
            frame.Stream.EndCapture(discard: true);
            throw;
        }
        return frame.Stream.EndCapture(discard: false)!;
    }

    private void Start(PreparedWork[] work, bool isCaptured)
    {
        foreach (PreparedWork one in work)
        {
            if (!isCaptured)
            {
                settings.Cancellation.ThrowIfCancellationRequested();
            }
            switch (one)
            {
                case PreparedWork.Launch launch:
                    _times?.Begin(frame.Stream, launch.Call);
                    Start(frame.Stream, launch);
                    _times?.End(frame.Stream);
                    break;
                case PreparedWork.Copy copy when frame.Binding.Numbers[copy.Bytes] is > 0 and var bytes:
                    frame.Stream.Copy(frame.Addresses[copy.To], frame.Addresses[copy.From], bytes);
                    break;
                case PreparedWork.SideBySide batch when isCaptured && batch.Members.Length > 1:
                    frame.Sides.Run(frame.Stream, batch.Members.Length, (stream, i) => Start(stream, batch.Members[i]));
                    break;
                case PreparedWork.SideBySide { Members: [var first, ..] members }:
                    _times?.Begin(frame.Stream, first.Call);
                    Array.ForEach(members, m => Start(frame.Stream, m));
                    _times?.End(frame.Stream);
                    break;
            }
        }
    }

    private void Start(GpuStream stream, PreparedWork.Launch launch)
    {
        long[] numbers = frame.Binding.Numbers;
        if (numbers[launch.Tasks] == 0)
        {
            return;
        }
        Span<long> arguments = stackalloc long[launch.Arguments.Length];
        Span<long> extents = stackalloc long[program.GpuDevice.ChecksAccesses ? arguments.Length : 0];
        for (int i = 0; i < arguments.Length; i++)
        {
            PreparedArgument argument = launch.Arguments[i];
            arguments[i] = argument.Buffer >= 0 ? frame.Addresses[argument.Buffer] : numbers[argument.Number];
            if (i < extents.Length)
            {
                extents[i] = argument.Buffer >= 0 ? frame.Binding.BufferBytes[argument.Buffer] : 0;
            }
        }
        BoundMap[] maps = Array.ConvertAll(launch.Maps, m => m.Bind(numbers, frame.Addresses, frame.Binding.BufferBytes));
        stream.Launch(launch.Function, numbers[launch.Tasks], arguments, extents, maps);
    }
}
