namespace Graphene.Hosting;

/// <summary>Wakes whoever waits when something happens to a file, as far as the system reports it.</summary>
/// <remarks>
/// What is watched is the folder. A file can be replaced by renaming, and so can a symbolic link in the folder that leads to it, as
/// the links are through which Kubernetes mounts its volumes. Reports are hints: they may be missing, and whoever waits looks for
/// himself.
/// </remarks>
internal sealed class ChangeSignal : IDisposable
{
    // Never disposed, since a last report may still be under way; it holds nothing but memory.
    private readonly SemaphoreSlim _signal = new(0);
    private FileSystemWatcher? _watcher;
    private string? _path;
    private int _pending;
    private volatile bool _broken;

    /// <summary>Watches a file from now on.</summary>
    /// <param name="path">Its full path.</param>
    /// <returns>Why nothing is reported, when that is so and was not so before; or null.</returns>
    public string? Watch(string path)
    {
        if (path == _path && !_broken)
        {
            return null;
        }
        bool isNew = path != _path;
        _path = path;
        _broken = false;
        _watcher?.Dispose();
        _watcher = null;
        try
        {
            _watcher = Start(path);
            return null;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            _broken = true; // tried again when the file is looked at next: its folder may be made in the meantime
            return isNew ? e.Message : null;
        }
    }

    /// <summary>
    /// Begins anew when <see cref="Watch"/> is called next: a folder that was deleted reports nothing more, and
    /// says nothing of it.
    /// </summary>
    public void Restart() => _broken = true;

    /// <summary>Wakes whoever waits.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _pending, 1) == 0)
        {
            _signal.Release();
        }
    }

    /// <summary>Waits until something happens, but not longer than a given time.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellation)
    {
        if (await _signal.WaitAsync(atMost, cancellation).ConfigureAwait(false))
        {
            Volatile.Write(ref _pending, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    private FileSystemWatcher Start(string path)
    {
        string name = Path.GetFileName(path);
        var watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!)
        {
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
        };
        // A write concerns the file of that name; what comes and goes may be a link on the way to it.
        watcher.Changed += (_, e) => SetIf(e.Name == name);
        watcher.Created += (_, _) => Set();
        watcher.Deleted += (_, _) => Set();
        watcher.Renamed += (_, _) => Set();
        watcher.Error += (_, _) =>
        {
            _broken = true;
            Set();
        };
        try
        {
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch
        {
            watcher.Dispose();
            throw;
        }
    }

    private void SetIf(bool concerns)
    {
        if (concerns)
        {
            Set();
        }
    }
}
