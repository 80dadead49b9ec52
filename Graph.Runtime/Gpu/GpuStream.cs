namespace Graphene.Runtime;

/// <summary>A queue of work for a GPU: what is put in happens in order, some time after it was put in.</summary>
/// <remarks>
/// One thread at a time uses a stream. Work that fails may say so only when somebody waits for it. Disposing waits for the work.
/// </remarks>
internal abstract unsafe class GpuStream : IDisposable
{
    /// <summary>Copies from the host; its memory may change when the call returns unless it is the device's own.</summary>
    public abstract void CopyToDevice(nint to, void* from, long bytes);

    /// <summary>Copies to the host, where it has arrived when somebody waited for the stream.</summary>
    public abstract void CopyToHost(void* to, nint from, long bytes);

    /// <summary>Copies on the device.</summary>
    public abstract void Copy(nint to, nint from, long bytes);

    /// <summary>Sets bytes.</summary>
    public abstract void Fill(nint to, byte value, long bytes);

    /// <summary>Starts a kernel.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="tasks">How many tasks it has: 1 to <see cref="GpuFunction.MostTasks"/>.</param>
    /// <param name="arguments">Addresses and numbers, in the order of its parameters.</param>
    /// <param name="extents">
    /// The bytes behind each address, 0 for numbers: for devices that check accesses
    /// (<see cref="GpuDevice.ChecksAccesses"/>), empty for others.
    /// </param>
    /// <param name="maps">Tensor maps, which are passed behind the arguments.</param>
    public abstract void Launch(
        GpuFunction function, long tasks, ReadOnlySpan<long> arguments, ReadOnlySpan<long> extents, ReadOnlySpan<BoundMap> maps = default);

    /// <summary>Marks a place in the queue.</summary>
    public abstract void Record(GpuEvent mark);

    /// <summary>Lets what comes later wait for a mark of another stream.</summary>
    public abstract void Wait(GpuEvent mark);

    /// <summary>From here on work is noted, and not done.</summary>
    public abstract void BeginCapture();

    /// <summary>Makes what was noted one piece of work; null, and nothing is left of it, when that failed.</summary>
    /// <param name="discard">True to forget what was noted.</param>
    public abstract GpuGraph? EndCapture(bool discard);

    /// <summary>Starts what was captured.</summary>
    public abstract void Launch(GpuGraph graph);

    /// <summary>Waits for all that was put in.</summary>
    /// <exception cref="GraphException">GR6502: some of it failed.</exception>
    public abstract void Synchronize();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A place in the queue of a stream.</summary>
internal abstract class GpuEvent : IDisposable
{
    /// <summary>How long after another mark it was reached, in milliseconds; both have been reached.</summary>
    public abstract double MillisecondsSince(GpuEvent earlier);

    /// <summary>Waits until it is reached.</summary>
    public abstract void Synchronize();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Work that was captured once and is started as one piece; its addresses and numbers are those of the capture.</summary>
internal abstract class GpuGraph : IDisposable
{
    /// <inheritdoc/>
    public abstract void Dispose();
}
