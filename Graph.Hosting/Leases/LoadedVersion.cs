namespace Graphene.Hosting;

/// <summary>A version in memory: disposed when the service has let go of it and the last lease has ended.</summary>
internal sealed class LoadedVersion<TModel>(TModel model, ModelVersion info, VersionMemory memory, Action<LoadedVersion<TModel>> disposed)
    where TModel : class, IDisposable
{
    private int _holders = 1; // the service; then one for each lease
    private int _retired;

    /// <summary>The model.</summary>
    public TModel Model => model;

    /// <summary>Which version it is.</summary>
    public ModelVersion Info => info;

    /// <summary>The memory that it takes.</summary>
    public VersionMemory Memory => memory;

    /// <summary>The number of leases.</summary>
    public int Leases => Math.Max(0, Volatile.Read(ref _holders) - (Volatile.Read(ref _retired) == 0 ? 1 : 0));

    /// <summary>Holds the version for a lease; false when it is gone.</summary>
    public bool TryHold()
    {
        int holders = Volatile.Read(ref _holders);
        while (holders > 0)
        {
            int found = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (found == holders)
            {
                return true;
            }
            holders = found;
        }
        return false;
    }

    /// <summary>Ends a lease.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            // Unmapping hundreds of megabytes takes milliseconds, which the last request should not wait for.
            ThreadPool.UnsafeQueueUserWorkItem(static version => version.Free(), this, preferLocal: false);
        }
    }

    /// <summary>Lets go of the version in the name of the service.</summary>
    public void Retire()
    {
        Volatile.Write(ref _retired, 1);
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Free();
        }
    }

    private void Free()
    {
        model.Dispose();
        disposed(this);
    }
}
