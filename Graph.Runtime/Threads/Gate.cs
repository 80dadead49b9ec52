namespace Graphene.Runtime.Threads;

/// <summary>A counting semaphore on which idle threads sleep: what a parked thread costs is memory, never CPU
/// time.</summary>
internal abstract class Gate : IDisposable
{
    /// <summary>The fastest gate of this platform.</summary>
    public static Gate Create() => FutexGate.IsSupported ? new FutexGate() : new PortableGate();

    /// <summary>Takes one permit; sleeps until there is one.</summary>
    public abstract void Wait();

    /// <summary>Adds permits and wakes as many sleepers. Allocates nothing.</summary>
    public abstract void Release(int permits);

    /// <summary>Frees the gate; nobody may be waiting.</summary>
    public abstract void Dispose();
}
