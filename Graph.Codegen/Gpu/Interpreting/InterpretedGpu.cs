using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>A GPU that is none: its memory is the host's, and its kernels are interpreted.</summary>
/// <remarks>
/// <para>
/// For tests of everything above the kernels, where there is no GPU, and for looking at what a graph does on one. It is slow.
/// </para>
/// <para>
/// It is as unforgiving as it can be. Addresses are not addresses of the host. Work is done when somebody waits for it
/// and not before, so that whoever forgets to wait finds nothing; memory that was freed is gone for work that comes to
/// use it; new memory holds rubbish; accesses outside of a buffer, and races between threads, are errors.
/// </para>
/// </remarks>
public sealed class InterpretedGpu : GpuDevice
{
    private readonly InterpretedMemory _memory;

    /// <summary>Makes a device.</summary>
    /// <param name="architecture">Its compute capability as a number: what schedules may count on.</param>
    /// <param name="memoryBytes">Its memory.</param>
    public InterpretedGpu(int architecture = 90, long memoryBytes = 4L << 30)
    {
        Architecture = architecture;
        MemoryBytes = memoryBytes;
        _memory = new InterpretedMemory(memoryBytes);
    }

    /// <inheritdoc/>
    public override string Name => "the interpreter";

    /// <inheritdoc/>
    public override int Architecture { get; }

    /// <inheritdoc/>
    public override int Multiprocessors => 16;

    /// <inheritdoc/>
    public override long MemoryBytes { get; }

    /// <inheritdoc/>
    public override long FreeBytes => MemoryBytes - LiveBytes;

    /// <summary>How many graphs were made and are not freed.</summary>
    public int LiveGraphs => Counts.Graphs;

    /// <summary>How many kernels were started, each start of a graph's kernels included.</summary>
    public long Launches => Counts.Launches;

    /// <summary>How many graphs were started.</summary>
    public long GraphLaunches => Counts.GraphLaunches;

    /// <summary>Streams, modules and marks that are not freed.</summary>
    public int LiveHandles => Counts.Handles;

    internal override bool ChecksAccesses => true;

    internal override GpuCodeForm CodeForm => GpuCodeForm.KernelText;

    internal InterpretedMemory Memory => _memory;

    internal InterpretedHostMemory HostMemory { get; } = new();

    internal InterpretedCounts Counts { get; } = new();

    internal override NativeBlock AllocateHost(long bytes) => HostMemory.Allocate(bytes);

    internal override GpuStream CreateStream() => new InterpretedStream(this);

    internal override GpuEvent CreateEvent(bool hasTime) => new InterpretedEvent(this);

    internal override GpuCode LoadCode(string name, ReadOnlyMemory<byte> code) => new InterpretedCode(this, name, code.Span);

    internal override string? WhyNot(string target) => CudaTarget.WhyNot(target, Architecture);

    private protected override nint AllocateCore(long bytes, GpuStream? stream) =>
        _memory.TryAllocate(bytes) ?? throw new GpuMemoryException(bytes, FreeBytes);

    private protected override void FreeCore(nint address) => _memory.Free(address);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _memory.Clear();
        }
    }
}

/// <summary>What there is of a device, and what it did.</summary>
internal sealed class InterpretedCounts
{
    private int _graphs;
    private int _handles;
    private long _launches;
    private long _graphLaunches;

    /// <summary>Graphs that are not freed.</summary>
    public int Graphs => _graphs;

    /// <summary>Streams, modules and marks that are not freed.</summary>
    public int Handles => _handles;

    /// <summary>Kernels that were started.</summary>
    public long Launches => _launches;

    /// <summary>Graphs that were started.</summary>
    public long GraphLaunches => _graphLaunches;

    /// <summary>Counts a graph that was made, or freed.</summary>
    public void AddGraph(int count) => Interlocked.Add(ref _graphs, count);

    /// <summary>Counts a stream, module or mark that was made, or freed.</summary>
    public void AddHandle(int count) => Interlocked.Add(ref _handles, count);

    /// <summary>Counts a start of a kernel.</summary>
    public void AddLaunch() => Interlocked.Increment(ref _launches);

    /// <summary>Counts a start of a graph.</summary>
    public void AddGraphLaunch() => Interlocked.Increment(ref _graphLaunches);
}
