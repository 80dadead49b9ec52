using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>A folder of checkpoints, the last few of which are kept.</summary>
/// <remarks>
/// <para>
/// A file <c>checkpoint-STEP.safetensors</c> for each, and a list of them, <c>checkpoints.json</c>. The order of a save:
/// the new file is written under another name, synchronized with the disk and renamed; the list with the new one and without those
/// that go is replaced in the same way; then files go. So at every moment, also after a crash or a loss of power, the list names
/// checkpoints that are whole: those before the save, or those after it.
/// </para>
/// <para>One process at a time saves into a folder; any number read. Checkpoint files that the list does not name are left from a
/// process that ended while it saved; the next save deletes them.</para>
/// </remarks>
public sealed partial class CheckpointFolder
{
    private const string LockName = ".lock";
    private const string StepKey = "graphene.step";
    private readonly CheckpointFolderOptions _options;

    /// <summary>Opens a folder, which need not be there yet.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">Which checkpoints are kept.</param>
    public CheckpointFolder(string path, CheckpointFolderOptions? options = null)
    {
        Folder = Path.GetFullPath(path);
        _options = (options ?? new CheckpointFolderOptions()).Checked();
    }

    /// <summary>The folder's full path.</summary>
    public string Folder { get; }

    /// <summary>The checkpoints that are there now, in the order of their steps.</summary>
    /// <exception cref="GraphException">GR6301, GR6302: the list of checkpoints cannot be read.</exception>
    public ImmutableArray<CheckpointEntry> List() => [.. Guarded(ReadOrScan)];

    /// <summary>Saves a checkpoint, then deletes those that need not be kept.</summary>
    /// <param name="saver">Says what to save.</param>
    /// <param name="step">How far the training is; not negative.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="GraphException">
    /// GR6301: the folder cannot be written; GR6305: another process saves into it. What was there before is still there.
    /// </exception>
    public string Save(Saver saver, long step) => Save(saver.Snapshot(), step);

    /// <summary>Saves what was copied before, for example on another thread.</summary>
    /// <inheritdoc cref="Save(Saver, long)"/>
    /// <param name="snapshot">A copy that <see cref="Saver.Snapshot"/> made.</param>
    /// <param name="step">How far the training was when the copy was made; not negative.</param>
    public string Save(IReadOnlyList<NamedTensor> snapshot, long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Guarded(() =>
        {
            Directory.CreateDirectory(Folder);
            using FileStream gate = Lock();
            Delete(Temporaries()); // first: a process that never gets to the end of a save must not fill the disk
            List<CheckpointEntry> entries = ReadOrScan();
            entries.RemoveAll(e => e.Step >= step); // a training that was set back goes another way from here on
            string name = CheckpointManifest.FileNameOf(step);
            var metadata = new Dictionary<string, string> { [StepKey] = $"{step}" };
            string digest = SafetensorsFile.Write(Path.Combine(Folder, name), snapshot, metadata);
            entries.Add(new CheckpointEntry(step, name, digest));
            CheckpointEntry[] kept = [.. entries.Where((e, i) => MayStay(e, entries.Count - i))];
            CheckpointManifest.Write(Folder, kept);
            DeleteAllBut(kept);
            return Path.Combine(Folder, name);
        });
    }

    /// <summary>Restores the last checkpoint that is whole.</summary>
    /// <param name="saver">Says what to restore.</param>
    /// <param name="options">What may be left undone, and where to look for what.</param>
    /// <returns>What was restored; null when the folder has no checkpoint.</returns>
    /// <exception cref="GraphException">
    /// GR6303: the checkpoint is of something else; GR6301, GR6302: all checkpoints are damaged. No variable has changed.
    /// </exception>
    public RestoredCheckpoint? RestoreLatest(Saver saver, RestoreOptions? options = null)
    {
        ImmutableArray<CheckpointEntry> entries = List();
        var damaged = new List<(string Path, string Reason)>();
        GraphException? last = null;
        foreach (CheckpointEntry entry in entries.Reverse())
        {
            string path = Path.Combine(Folder, entry.FileName);
            try
            {
                return new RestoredCheckpoint(entry.Step, path, Restore(saver, entry, path, options), [.. damaged]);
            }
            catch (GraphException e) when (
                e.Id == RuntimeDiagnostics.CheckpointDamaged || e.Id == RuntimeDiagnostics.CheckpointAccess)
            {
                LogDamaged(_options.Logger, path, e.What);
                damaged.Add((path, e.What));
                last = e;
            }
        }
        return last is null ? null : throw new GraphException(
            RuntimeDiagnostics.CheckpointDamaged, $"{Folder}: none of {damaged.Count} checkpoints can be used", Folder,
            string.Join("; ", damaged.Select(d => d.Reason)), "restore the folder from a copy", last);
    }

    private static RestoreReport Restore(Saver saver, CheckpointEntry entry, string path, RestoreOptions? options)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        // Not compared with the list: between the two renames of a save that repeats a step the file is newer than the list.
        if (!file.Verify() || file.Metadata.GetValueOrDefault(StepKey) != $"{entry.Step}")
        {
            throw new GraphException(
                RuntimeDiagnostics.CheckpointDamaged, $"{path}: this is not the file that was saved for step {entry.Step}", path,
                "it says another step, or has no digest", "use another checkpoint");
        }
        return saver.Restore(file, options) with { IsVerified = true };
    }

    // Without a list the files speak for themselves; those that do not even open are left to be looked at.
    private List<CheckpointEntry> ReadOrScan()
    {
        if (CheckpointManifest.Read(Folder) is { } listed)
        {
            return listed;
        }
        var found = new List<CheckpointEntry>();
        foreach ((long step, string path) in Files().OrderBy(f => f.Step))
        {
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                if (file.Digest is { } digest)
                {
                    found.Add(new CheckpointEntry(step, Path.GetFileName(path), digest));
                }
            }
            catch (GraphException e)
            {
                LogDamaged(_options.Logger, path, e.What);
            }
        }
        return found;
    }

    private bool MayStay(CheckpointEntry entry, int placeFromTheEnd) =>
        placeFromTheEnd <= _options.Keep || (_options.KeepEvery > 0 && entry.Step % _options.KeepEvery == 0);

    private void DeleteAllBut(CheckpointEntry[] kept)
    {
        HashSet<long> steps = [.. kept.Select(e => e.Step)];
        Delete(Files().Where(f => !steps.Contains(f.Step)).Select(f => f.Path));
    }

    // With the lock held, a file that is being written is one that nobody writes any more.
    private string[] Temporaries() => Directory.GetFiles(Folder, "checkpoint*" + AtomicFile.TemporaryExtension);

    private void Delete(IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            if (AtomicFile.TryDelete(path))
            {
                LogDeleted(_options.Logger, path);
            }
        }
    }

    private IEnumerable<(long Step, string Path)> Files() => !Directory.Exists(Folder) ? [] :
        from path in Directory.GetFiles(Folder)
        let step = CheckpointManifest.StepOf(Path.GetFileName(path))
        where step is not null
        select (step.Value, path);

    private FileStream Lock()
    {
        string path = Path.Combine(Folder, LockName);
        try
        {
            // The system lets go of it when this process ends, however it ends.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && File.Exists(path))
        {
            throw new GraphException(
                RuntimeDiagnostics.CheckpointInUse, $"{Folder}: another process or thread saves a checkpoint into it now", Folder,
                "two trainings in one folder would delete each other's checkpoints", "give each training a folder", e);
        }
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (CheckpointAccess.IsFailure(e))
        {
            throw CheckpointAccess.Error(Folder, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Checkpoint {Path} makes room")]
    private static partial void LogDeleted(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Checkpoint {Path} cannot be used: {Reason}")]
    private static partial void LogDamaged(ILogger logger, string path, string reason);
}
