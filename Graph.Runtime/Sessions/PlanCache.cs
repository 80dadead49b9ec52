using System.Runtime.ExceptionServices;

namespace Graphene.Runtime;

/// <summary>
/// The compiled plans of a session: bounded, each compiled once however many threads ask, least recently used out first.
/// </summary>
/// <remarks>Users hold leases: a plan that makes room is disposed when its last user lets go.</remarks>
/// <typeparam name="TKey">What a plan is for.</typeparam>
/// <param name="capacity">The most plans that are kept.</param>
/// <param name="difference">Says how a key differs from the one used last: the cause of a miss.</param>
internal sealed class PlanCache<TKey>(int capacity, Func<TKey, TKey, string> difference) : IDisposable
    where TKey : class, IEquatable<TKey>
{
    private const int MaxRemembered = 1024;
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new(); // most recent first
    private readonly HashSet<TKey> _evicted = [];
    private bool _disposed;

    /// <summary>The number of plans.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Gets a plan, compiling it when it is not there.</summary>
    /// <param name="key">What is wanted.</param>
    /// <param name="compile">Compiles, and is told why it must.</param>
    /// <param name="cancellation">The caller's token, which <paramref name="compile"/> looks at, too.</param>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public Lease Get(TKey key, Func<string, GraphProgram> compile, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            Entry entry = Use(key, out string? cause);
            try
            {
                if (cause is null)
                {
                    entry.Program.Wait(cancellation);
                }
                else
                {
                    entry.Compile(() => compile(cause));
                }
                return new Lease(this, entry, entry.Program.Result);
            }
            catch (OperationCanceledException) when (cause is null)
            {
                Release(entry); // this caller gives up; whoever compiles goes on
                throw;
            }
            catch (AggregateException e) when (cause is null)
            {
                Forget(entry);
                if (e.InnerException is not OperationCanceledException)
                {
                    ExceptionDispatchInfo.Throw(e.InnerException!);
                }
                // Somebody else began to compile it and gave up: now it is this caller's turn.
            }
            catch
            {
                Forget(entry);
                throw;
            }
        }
    }

    // The entry of a key; with the cause of the miss when it is new, and the caller must compile it.
    private Entry Use(TKey key, out string? cause)
    {
        Entry entry;
        cause = null;
        List<Entry> unused = [];
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(Session));
            if (_entries.TryGetValue(key, out LinkedListNode<Entry>? node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                entry = node.Value;
            }
            else
            {
                cause = CauseOfMiss(key);
                entry = new Entry(key);
                _entries.Add(key, _byUse.AddFirst(entry));
                MakeRoom(unused);
            }
            entry.Users++;
        }
        unused.ForEach(e => e.DisposeProgram());
        return entry;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Entry[] idle;
        lock (_lock)
        {
            _disposed = true;
            idle = [.. _byUse.Where(Retire)];
            _entries.Clear();
            _byUse.Clear();
        }
        Array.ForEach(idle, e => e.DisposeProgram());
    }

    private string CauseOfMiss(TKey key) =>
        _evicted.Remove(key)
            ? $"it was dropped to make room; more than {capacity} plans are in use (SessionOptions.MaxPlans)"
            : _byUse.First?.Value.Key is { } last ? difference(last, key)
            : "it is the first plan of this session";

    private void MakeRoom(List<Entry> unused)
    {
        while (_entries.Count > capacity && _byUse.Last is { } oldest && oldest != _byUse.First)
        {
            _byUse.RemoveLast();
            _entries.Remove(oldest.Value.Key);
            if (_evicted.Count < MaxRemembered)
            {
                _evicted.Add(oldest.Value.Key);
            }
            if (Retire(oldest.Value))
            {
                unused.Add(oldest.Value);
            }
        }
    }

    // Returns whether nobody uses the entry, so that it can be disposed now.
    private static bool Retire(Entry entry)
    {
        entry.IsRetired = true;
        return entry.Users == 0;
    }

    private void Release(Entry entry)
    {
        bool dispose;
        lock (_lock)
        {
            dispose = --entry.Users == 0 && entry.IsRetired;
        }
        if (dispose)
        {
            entry.DisposeProgram();
        }
    }

    // A compilation that failed is tried again by the next who asks.
    private void Forget(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            if (_entries.TryGetValue(entry.Key, out LinkedListNode<Entry>? node) && ReferenceEquals(node.Value, entry))
            {
                _entries.Remove(entry.Key);
                _byUse.Remove(node);
            }
        }
    }

    /// <summary>The right to use a plan until it is disposed.</summary>
    internal sealed class Lease(PlanCache<TKey> cache, Entry entry, GraphProgram program) : IDisposable
    {
        private Entry? _entry = entry;

        /// <summary>The plan.</summary>
        public GraphProgram Program { get; } = program;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _entry, null) is { } held)
            {
                cache.Release(held);
            }
        }
    }

    /// <summary>One plan with its users, which are counted under the cache's lock.</summary>
    internal sealed class Entry(TKey key)
    {
        private readonly TaskCompletionSource<GraphProgram> _program = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TKey Key { get; } = key;

        public Task<GraphProgram> Program => _program.Task;

        public int Users { get; set; }

        public bool IsRetired { get; set; }

        /// <summary>Compiles on this thread, for everybody who waits.</summary>
        public void Compile(Func<GraphProgram> compile)
        {
            try
            {
                _program.SetResult(compile());
            }
            catch (Exception e)
            {
                _program.SetException(e);
                _ = Program.Exception; // seen, also when nobody waits
                throw;
            }
        }

        public void DisposeProgram()
        {
            if (Program.IsCompletedSuccessfully)
            {
                Program.Result.Dispose();
            }
        }
    }
}
