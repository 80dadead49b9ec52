namespace Graphene.Runtime;

/// <summary>A GPU: what plans for one need of it, and nothing else. Its memory is apart from the host's.</summary>
/// <remarks>
/// <para>
/// There are two: <see cref="CudaDevice"/> asks the CUDA driver, and the one of the compiler interprets kernels, so that everything above
/// this class runs where there is no GPU. Neither is loaded or made unless somebody asks for it.
/// </para>
/// <para>Thread-safe. What was made from a device is disposed before it.</para>
/// </remarks>
public abstract class GpuDevice : IDisposable
{
    private const long CopiedBytes = 512 << 20; // more than caches hold
    private long _liveBytes;
    private long _liveAllocations;
    private GpuConstantPool? _constants;
    private GpuTransfers? _transfers;

    internal GpuDevice()
    {
    }

    /// <summary>What people call it, for example <c>NVIDIA H200</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The compute capability as a number: 90 for 9.0.</summary>
    public abstract int Architecture { get; }

    /// <summary>How many multiprocessors it has.</summary>
    public abstract int Multiprocessors { get; }

    /// <summary>All of its memory, in bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>The memory that nobody uses now, in bytes; other processes change it.</summary>
    public abstract long FreeBytes { get; }

    /// <summary>Bytes that this process holds there now; equal before and after whatever must not leak.</summary>
    public long LiveBytes => Interlocked.Read(ref _liveBytes);

    /// <summary>How many pieces these are.</summary>
    public long LiveAllocations => Interlocked.Read(ref _liveAllocations);

    /// <summary>Measures how many bytes per second a copy within the device's memory reads and writes: what kernels can hope for.</summary>
    /// <exception cref="GraphException">GR6503: there is no memory for it.</exception>
    public double MeasureCopyRate()
    {
        const int Tries = 5;
        long bytes = Math.Min(CopiedBytes, MemoryBytes / 8);
        using GpuMemory from = GpuMemoryReport.Allocate(this, bytes, "a copy that is measured");
        using GpuMemory to = GpuMemoryReport.Allocate(this, bytes, "a copy that is measured");
        using GpuStream stream = CreateStream();
        using GpuEvent begin = CreateEvent(hasTime: true), end = CreateEvent(hasTime: true);
        stream.Fill(from.Address, 0, bytes);
        double best = double.MaxValue;
        for (int i = 0; i <= Tries; i++)
        {
            stream.Record(begin);
            stream.Copy(to.Address, from.Address, bytes);
            stream.Record(end);
            stream.Synchronize();
            best = i == 0 ? best : Math.Min(best, end.MillisecondsSince(begin)); // the first warms up
        }
        return 2 * bytes / (best / 1000);
    }

    /// <summary>Whether it wants to know how large the memory is that kernels are given.</summary>
    internal virtual bool ChecksAccesses => false;

    /// <summary>The form of code that it takes.</summary>
    internal abstract GpuCodeForm CodeForm { get; }

    /// <summary>The constants of all programs on this device: equal ones are there once.</summary>
    internal GpuConstantPool Constants => LazyInitializer.EnsureInitialized(ref _constants, () => new GpuConstantPool(this))!;

    /// <summary>Copies between runs.</summary>
    internal GpuTransfers Transfers => LazyInitializer.EnsureInitialized(ref _transfers, () => new GpuTransfers(this))!;

    /// <summary>Takes memory, whose content is anything.</summary>
    /// <param name="bytes">The size; 0 gives memory that holds nothing.</param>
    /// <param name="stream">Whose work may use it at once; null to wait until anybody may.</param>
    /// <exception cref="GpuMemoryException">There is not enough.</exception>
    internal GpuMemory Allocate(long bytes, GpuStream? stream = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        nint address = bytes == 0 ? 0 : AllocateCore(bytes, stream);
        if (bytes > 0)
        {
            Interlocked.Add(ref _liveBytes, bytes);
            Interlocked.Increment(ref _liveAllocations);
        }
        return new GpuMemory(this, address, bytes);
    }

    /// <summary>Takes memory of the host that the device copies from and to without help; content is anything.</summary>
    internal abstract NativeBlock AllocateHost(long bytes);

    /// <summary>Makes a queue of work.</summary>
    internal abstract GpuStream CreateStream();

    /// <summary>Makes a mark for streams.</summary>
    /// <param name="hasTime">Whether the time between two such marks can be asked.</param>
    internal abstract GpuEvent CreateEvent(bool hasTime);

    /// <summary>Loads code.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="code">Code of the device's form.</param>
    /// <exception cref="GraphException">GR6505: the device does not take the code.</exception>
    internal abstract GpuCode LoadCode(string name, ReadOnlyMemory<byte> code);

    /// <summary>Why code for a GPU cannot run here; null when it can.</summary>
    /// <param name="target">As in <see cref="ExecutablePlan.CpuFeatures"/>: <c>sm_90a</c>.</param>
    internal abstract string? WhyNot(string target);

    /// <summary>Frees memory; work that uses it has ended.</summary>
    internal void Release(nint address, long bytes)
    {
        FreeCore(address);
        Interlocked.Add(ref _liveBytes, -bytes);
        Interlocked.Decrement(ref _liveAllocations);
    }

    /// <summary>Takes at least one byte of memory, aligned to 256 bytes or more.</summary>
    private protected abstract nint AllocateCore(long bytes, GpuStream? stream);

    /// <summary>Frees what <see cref="AllocateCore"/> gave. Called on any thread, also that of finalizers; must not throw.</summary>
    private protected abstract void FreeCore(nint address);

    /// <inheritdoc/>
    public void Dispose()
    {
        _transfers?.Dispose();
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of the device.</summary>
    protected abstract void Dispose(bool disposing);
}

/// <summary>A device has not enough memory; whoever knows what it was for says so to the user.</summary>
/// <param name="bytes">What was asked for.</param>
/// <param name="freeBytes">What there is.</param>
internal sealed class GpuMemoryException(long bytes, long freeBytes)
    : Exception($"{bytes} bytes of GPU memory were asked for, {freeBytes} are free")
{
    /// <summary>What was asked for.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>What there is.</summary>
    public long FreeBytes { get; } = freeBytes;
}
