namespace Graphene;

/// <summary>Writes files that other processes see complete or not at all, also after a crash.</summary>
internal static class AtomicFile
{
    /// <summary>The end of the names of files that are being written.</summary>
    public const string TemporaryExtension = ".tmp";

    /// <summary>Replaces a file.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="write">Writes the content to a stream that can seek.</param>
    /// <param name="syncFolder">
    /// Sees to it that the new name, too, is on the disk when this returns; null when it may get there soon.
    /// </param>
    /// <param name="sync">
    /// Whether the content is on the disk before the name is there. Without it a crash may leave a file that is not what was written.
    /// </param>
    public static void Write(string path, Action<Stream> write, Action<string>? syncFolder = null, bool sync = true)
    {
        string full = Path.GetFullPath(path);
        // In the same folder: renaming is atomic only within one file system.
        string temporary = $"{full}.{Guid.NewGuid():N}{TemporaryExtension}";
        try
        {
            using (FileStream stream = File.Open(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: sync);
            }
            File.Move(temporary, full, overwrite: true);
            syncFolder?.Invoke(Path.GetDirectoryName(full)!);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Deletes a file if that is possible; says whether it is gone.</summary>
    public static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
