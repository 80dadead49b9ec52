namespace Graphene.Hosting;

/// <summary>A copy of a bundle that nobody else can reach: what is mapped from it never changes.</summary>
/// <remarks>
/// A file that is replaced by renaming lives on in the mappings of the old one. A file that is overwritten in place does not: the
/// weights under running kernels would change, and a file that became shorter would end the process. Copies lie in a new
/// folder that only the user of the service can enter, and lose their name as soon as they are mapped, where the system
/// allows that; they share blocks with the original where the file system can.
/// </remarks>
internal sealed class PrivateCopy : IDisposable
{
    private const string Prefix = "graphene-model-";
    private readonly string _folder;

    private PrivateCopy(string folder, string file)
    {
        _folder = folder;
        File = file;
    }

    /// <summary>The copy.</summary>
    public string File { get; }

    /// <summary>Copies a file.</summary>
    /// <exception cref="IOException">The file cannot be read, or there is no room.</exception>
    /// <exception cref="UnauthorizedAccessException">One of the places is not accessible.</exception>
    public static PrivateCopy Of(string file, string? folder)
    {
        string own = folder is null
            ? Directory.CreateTempSubdirectory(Prefix).FullName
            : CreateIn(folder);
        var copy = new PrivateCopy(own, Path.Combine(own, "model.graphene"));
        try
        {
            System.IO.File.Copy(file, copy.File);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Removes the names; on Windows only when nothing is mapped any more.</summary>
    public void Dispose() => TryRemove();

    /// <summary>Removes the names if the system allows it now.</summary>
    public bool TryRemove()
    {
        try
        {
            if (Directory.Exists(_folder))
            {
                Directory.Delete(_folder, recursive: true);
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string CreateIn(string folder)
    {
        string own = Path.Combine(folder, $"{Prefix}{Guid.NewGuid():N}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(own);
        }
        else
        {
            Directory.CreateDirectory(own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return own;
    }
}
