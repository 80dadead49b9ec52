namespace Graphene.Runtime.Threads;

/// <summary>A gate for every platform that .NET runs on.</summary>
internal sealed class PortableGate : Gate
{
    private readonly SemaphoreSlim _semaphore = new(0);

    public override void Wait() => _semaphore.Wait();

    public override void Release(int permits) => _semaphore.Release(permits);

    public override void Dispose() => _semaphore.Dispose();
}
