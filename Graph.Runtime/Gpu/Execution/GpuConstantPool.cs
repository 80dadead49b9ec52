namespace Graphene.Runtime;

/// <summary>
/// The large constants of all programs on a device: equal ones are uploaded once, and freed with the last
/// program that uses them.
/// </summary>
/// <remarks>Programs of one session share their weights so, although each is an executable of its own.</remarks>
/// <param name="device">The device.</param>
internal sealed unsafe class GpuConstantPool(GpuDevice device)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Bytes of all constants that are there now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _entries.Values.Sum(e => e.Memory.Length);
            }
        }
    }

    /// <summary>Gets a constant, uploading it when it is not there.</summary>
    /// <param name="content">The first byte.</param>
    /// <param name="length">How many.</param>
    /// <param name="stream">Uploads; waited for by the caller before anybody uses the constant.</param>
    /// <exception cref="GpuMemoryException">There is not enough memory.</exception>
    public Share Get(byte* content, long length, GpuStream stream)
    {
        string key = Convert.ToHexString(SectionHash.Compute(FileHashKind.Blake3, content, length));
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                entry = new Entry(key, device.Allocate(length, stream));
                try
                {
                    using var staging = new HostStaging(device, stream);
                    staging.Upload(entry.Memory.Address, content, length);
                    stream.Synchronize(); // whoever finds it next uses other streams
                }
                catch
                {
                    entry.Memory.Dispose();
                    throw;
                }
                _entries.Add(key, entry);
            }
            entry.Users++;
            return new Share(this, entry);
        }
    }

    private void Release(Entry entry)
    {
        lock (_lock)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(entry.Key);
                entry.Memory.Dispose();
            }
        }
    }

    /// <summary>One constant on the device.</summary>
    /// <param name="key">What it is.</param>
    /// <param name="memory">Where it is.</param>
    internal sealed class Entry(string key, GpuMemory memory)
    {
        /// <summary>What it is.</summary>
        public string Key => key;

        /// <summary>Where it is.</summary>
        public GpuMemory Memory => memory;

        /// <summary>How many programs use it; read and written under the pool's lock.</summary>
        public int Users { get; set; }
    }

    /// <summary>The right to use a constant until it is disposed.</summary>
    internal sealed class Share(GpuConstantPool pool, Entry entry) : IDisposable
    {
        private Entry? _entry = entry;

        /// <summary>Where it is.</summary>
        public nint Address { get; } = entry.Memory.Address;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _entry, null) is { } held)
            {
                pool.Release(held);
            }
        }
    }
}
