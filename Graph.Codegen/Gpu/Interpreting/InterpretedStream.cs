using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>A queue of work that is done, in order, when somebody waits for it.</summary>
internal sealed unsafe class InterpretedStream : GpuStream
{
    private readonly InterpretedGpu _device;
    private readonly Queue<Action> _work = new();
    private long _added;
    private long _done;
    private InterpretedGraph? _capture;
    private bool _isCaptureOrigin;
    private bool _disposed;

    /// <summary>Makes a queue.</summary>
    public InterpretedStream(InterpretedGpu device)
    {
        _device = device;
        device.Counts.AddHandle(1);
    }

    /// <inheritdoc/>
    public override void CopyToDevice(nint to, void* from, long bytes)
    {
        byte[]? snapshot = _device.HostMemory.IsPinned(from) ? null : new ReadOnlySpan<byte>(from, checked((int)bytes)).ToArray();
        nint source = (nint)from;
        Add(() =>
        {
            byte* target = _device.Memory.At(to, bytes);
            if (snapshot is null)
            {
                Buffer.MemoryCopy((void*)source, target, bytes, bytes);
            }
            else
            {
                snapshot.CopyTo(new Span<byte>(target, snapshot.Length));
            }
        });
    }

    /// <inheritdoc/>
    public override void CopyToHost(void* to, nint from, long bytes)
    {
        nint target = (nint)to;
        Add(() => Buffer.MemoryCopy(_device.Memory.At(from, bytes), (void*)target, bytes, bytes));
    }

    /// <inheritdoc/>
    public override void Copy(nint to, nint from, long bytes) =>
        Add(() => Buffer.MemoryCopy(_device.Memory.At(from, bytes), _device.Memory.At(to, bytes), bytes, bytes));

    /// <inheritdoc/>
    public override void Fill(nint to, byte value, long bytes) =>
        Add(() => _device.Memory.Find(to, bytes).Span.Fill(value));

    /// <inheritdoc/>
    public override void Launch(
        GpuFunction function, long tasks, ReadOnlySpan<long> arguments, ReadOnlySpan<long> extents, ReadOnlySpan<BoundMap> maps = default)
    {
        var kernel = (InterpretedFunction)function;
        long[] values = arguments.ToArray();
        long[] bytes = extents.ToArray();
        BoundMap[] tensors = maps.ToArray();
        Add(() =>
        {
            _device.Counts.AddLaunch();
            kernel.Run(tasks, values, bytes, tensors);
        });
    }

    /// <inheritdoc/>
    public override void Record(GpuEvent mark)
    {
        var place = (InterpretedEvent)mark;
        if (Capturing is { } capture)
        {
            place.Capture = capture;
            return;
        }
        place.Capture = null;
        Add(place.Reach);
        place.Place(this, _added);
    }

    /// <inheritdoc/>
    public override void Wait(GpuEvent mark)
    {
        var place = (InterpretedEvent)mark;
        if (place.Capture is { IsOver: false } capture)
        {
            _capture = capture; // work here is part of the same graph from now on
            return;
        }
        (InterpretedStream? stream, long until) = place.Where;
        Add(() => stream?.RunUntil(until));
    }

    /// <inheritdoc/>
    public override void BeginCapture()
    {
        _capture = new InterpretedGraph(_device);
        _isCaptureOrigin = true;
    }

    /// <inheritdoc/>
    public override GpuGraph? EndCapture(bool discard)
    {
        if (!_isCaptureOrigin || _capture is not { } captured)
        {
            throw new CompilerBugException("interpreted GPU", "a capture ends that did not begin here");
        }
        captured.IsOver = true;
        _capture = null;
        _isCaptureOrigin = false;
        if (discard)
        {
            captured.Dispose();
            return null;
        }
        return captured;
    }

    /// <inheritdoc/>
    public override void Launch(GpuGraph graph)
    {
        var captured = (InterpretedGraph)graph;
        Add(() =>
        {
            _device.Counts.AddGraphLaunch();
            captured.Run();
        });
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        if (Capturing is not null)
        {
            throw new CompilerBugException("interpreted GPU", "a stream is waited for while it is captured");
        }
        RunUntil(_added);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _work.Clear(); // whoever did not wait for it does not want it
            _device.Counts.AddHandle(-1);
        }
    }

    /// <summary>Does work up to a place.</summary>
    internal void RunUntil(long place)
    {
        lock (_work)
        {
            while (_done < place && _work.TryDequeue(out Action? work))
            {
                _done++;
                work();
            }
        }
    }

    private InterpretedGraph? Capturing
    {
        get
        {
            if (_capture is { IsOver: true })
            {
                _capture = null;
            }
            return _capture;
        }
    }

    private void Add(Action work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Capturing is { } capture)
        {
            capture.Add(work);
            return;
        }
        lock (_work)
        {
            _work.Enqueue(work);
            _added++;
        }
    }
}

/// <summary>A place in a queue.</summary>
internal sealed class InterpretedEvent : GpuEvent
{
    private readonly InterpretedGpu _device;
    private InterpretedStream? _stream;
    private long _place;
    private long _reached;
    private bool _disposed;

    /// <summary>Makes a mark that is nowhere.</summary>
    public InterpretedEvent(InterpretedGpu device)
    {
        _device = device;
        device.Counts.AddHandle(1);
    }

    /// <summary>The graph that it is part of; null when it is in a queue.</summary>
    public InterpretedGraph? Capture { get; set; }

    /// <summary>The queue, and how much of it comes before.</summary>
    public (InterpretedStream? Stream, long Until) Where => (_stream, _place);

    /// <summary>Puts it into a queue.</summary>
    public void Place(InterpretedStream stream, long place)
    {
        _stream = stream;
        _place = place;
    }

    /// <summary>Notes the time.</summary>
    public void Reach() => _reached = System.Diagnostics.Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    public override double MillisecondsSince(GpuEvent earlier) =>
        System.Diagnostics.Stopwatch.GetElapsedTime(((InterpretedEvent)earlier)._reached, _reached).TotalMilliseconds;

    /// <inheritdoc/>
    public override void Synchronize() => _stream?.RunUntil(_place);

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.Counts.AddHandle(-1);
        }
    }
}

/// <summary>Work that was noted: what was one after the other stays so, and what was side by side is done in the order of noting.</summary>
internal sealed class InterpretedGraph : GpuGraph
{
    private readonly InterpretedGpu _device;
    private readonly List<Action> _work = [];
    private bool _disposed;

    /// <summary>Begins a graph.</summary>
    public InterpretedGraph(InterpretedGpu device)
    {
        _device = device;
        device.Counts.AddGraph(1);
    }

    /// <summary>Whether it is complete.</summary>
    public bool IsOver { get; set; }

    /// <summary>Adds work.</summary>
    public void Add(Action work) => _work.Add(work);

    /// <summary>Does all of it.</summary>
    public void Run()
    {
        if (_disposed)
        {
            throw new CompilerBugException("interpreted GPU", "a graph was freed before its work was done");
        }
        _work.ForEach(w => w());
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.Counts.AddGraph(-1);
        }
    }
}
