using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>The compiled plans of a session: bounded, each compiled once however many threads ask, least recently used
/// out first.</summary>
/// <remarks>Users hold leases: a plan that makes room is disposed when its last user lets go.</remarks>
internal sealed class PlanCache(int capacity) : IDisposable
{
    private const int MaxRemembered = 1024;
    private readonly Lock _lock = new();
    private readonly Dictionary<PlanKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new(); // most recent first
    private readonly HashSet<PlanKey> _evicted = [];
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
    /// <param name="names">The names of all outputs, for the cause of a miss.</param>
    /// <param name="compile">Compiles, and is told why it must.</param>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Lease Get(PlanKey key, ImmutableArray<string> names, Func<string, GraphProgram> compile)
    {
        Entry entry;
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
                string cause = CauseOfMiss(key, names);
                entry = new Entry(key, new Lazy<GraphProgram>(() => compile(cause)));
                _entries.Add(key, _byUse.AddFirst(entry));
                MakeRoom();
            }
            entry.Users++;
        }
        try
        {
            return new Lease(this, entry, entry.Program.Value);
        }
        catch
        {
            Forget(entry);
            throw;
        }
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
        foreach (Entry entry in idle)
        {
            entry.DisposeProgram();
        }
    }

    private string CauseOfMiss(PlanKey key, ImmutableArray<string> names)
    {
        if (_evicted.Remove(key))
        {
            return $"it was dropped to make room; more than {capacity} plans are in use (SessionOptions.MaxPlans)";
        }
        if (_byUse.First?.Value.Key is not { } last)
        {
            return "it is the first plan of this session";
        }
        string[] added = [.. key.Outputs.Except(last.Outputs).Select(o => "+" + names[o])];
        string[] removed = [.. last.Outputs.Except(key.Outputs).Select(o => "-" + names[o])];
        return added.Length + removed.Length == 0
            ? "its fetches are in another order than those of the plan used last"
            : $"its fetches differ from those of the plan used last: {string.Join(' ', [.. added, .. removed])}";
    }

    private void MakeRoom()
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
                oldest.Value.DisposeProgram();
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
    internal sealed class Lease(PlanCache cache, Entry entry, GraphProgram program) : IDisposable
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
    internal sealed class Entry(PlanKey key, Lazy<GraphProgram> program)
    {
        public PlanKey Key { get; } = key;

        public Lazy<GraphProgram> Program { get; } = program;

        public int Users { get; set; }

        public bool IsRetired { get; set; }

        public void DisposeProgram()
        {
            if (Program.IsValueCreated)
            {
                Program.Value.Dispose();
            }
        }
    }
}
