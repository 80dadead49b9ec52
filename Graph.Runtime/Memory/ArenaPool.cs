namespace Graphene.Runtime;

/// <summary>The scratch memory of one plan: every run in progress holds one arena, finished runs leave theirs for the next.</summary>
/// <remarks>
/// A bounded number of idle arenas is kept; more concurrent runs than that allocate and free. In the steady state neither
/// renting nor returning allocates or takes a lock. An arena may be larger than asked for when sizes depend on symbols.
/// </remarks>
public sealed class ArenaPool : IDisposable
{
    private readonly NativeBlock?[] _idle;
    private volatile bool _disposed;

    /// <summary>Creates a pool that holds nothing yet.</summary>
    /// <param name="maxIdle">The most idle arenas to keep; 0 keeps none.</param>
    public ArenaPool(int maxIdle)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxIdle);
        _idle = new NativeBlock?[maxIdle];
    }

    /// <summary>Bytes in idle arenas.</summary>
    public long IdleBytes
    {
        get
        {
            long bytes = 0;
            foreach (ref NativeBlock? slot in _idle.AsSpan())
            {
                bytes += (long)(Volatile.Read(ref slot)?.Length ?? 0);
            }
            return bytes;
        }
    }

    /// <summary>Takes an arena of at least the given size; its content is arbitrary.</summary>
    /// <param name="minBytes">The size that the run needs.</param>
    public NativeBlock Rent(long minBytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        for (int i = 0; i < _idle.Length; i++)
        {
            NativeBlock? arena = Volatile.Read(ref _idle[i]) is null ? null : Interlocked.Exchange(ref _idle[i], null);
            if (arena is null)
            {
                continue;
            }
            if ((long)arena.Length >= minBytes)
            {
                return arena;
            }
            // Too small for this run, so most likely for the next ones: one large arena serves all sizes.
            arena.Dispose();
        }
        return NativeBlock.Allocate(minBytes);
    }

    /// <summary>Gives an arena back. The caller must not touch it afterwards.</summary>
    /// <param name="arena">What <see cref="Rent"/> returned.</param>
    public void Return(NativeBlock arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        for (int i = 0; i < _idle.Length && !_disposed; i++)
        {
            if (Interlocked.CompareExchange(ref _idle[i], arena, null) is null)
            {
                if (_disposed)
                {
                    Trim();
                }
                return;
            }
        }
        arena.Dispose();
    }

    /// <summary>Frees the idle arenas.</summary>
    public void Trim()
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }
    }

    /// <summary>Frees the idle arenas now, and those of runs in progress when they are returned.</summary>
    public void Dispose()
    {
        _disposed = true;
        Trim();
    }
}
