namespace Graphene.Runtime;

/// <summary>Keeps a bounded number of objects that nobody uses now, for the next who needs one.</summary>
/// <remarks>Neither taking nor giving back allocates or takes a lock. The object given back last is not preferred: the
/// first slot is,
/// so a lone user gets the same object, whose memory is warm, every time.</remarks>
/// <typeparam name="T">What is kept; disposed when there is no room.</typeparam>
internal sealed class IdlePool<T>(int maxIdle) : IDisposable
    where T : class, IDisposable
{
    private readonly T?[] _idle = new T?[maxIdle];
    private volatile bool _disposed;

    /// <summary>Takes an idle object, or null when there is none.</summary>
    public T? TryTake()
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            ref T? slot = ref _idle[i];
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is { } taken)
            {
                return taken;
            }
        }
        return null;
    }

    /// <summary>Gives an object back, which the caller does not use any more.</summary>
    public void Return(T item)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            ref T? slot = ref _idle[i];
            if (!_disposed
                && Volatile.Read(ref slot) is null
                && Interlocked.CompareExchange(ref slot, item, null) is null)
            {
                if (_disposed)
                {
                    Trim(); // the pool was disposed between the two looks at it
                }
                return;
            }
        }
        item.Dispose();
    }

    /// <summary>Disposes what is idle.</summary>
    public void Trim()
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            ref T? slot = ref _idle[i];
            Interlocked.Exchange(ref slot, null)?.Dispose();
        }
    }

    /// <summary>Disposes what is idle now, and what is given back later.</summary>
    public void Dispose()
    {
        _disposed = true;
        Trim();
    }
}
