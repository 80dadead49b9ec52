using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>Brings what happened to the names in a folder to its disk.</summary>
internal static class FolderSync
{
    /// <summary>Sees to it that names that were made, changed or deleted in a folder are so on the disk.</summary>
    /// <remarks>Windows writes names with their files; elsewhere a folder is synchronized as a file is.</remarks>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public static void Sync(string folder)
    {
        if (!OperatingSystem.IsWindows() && !Libc.TrySyncFolder(folder, out string problem))
        {
            throw new IOException($"{folder} cannot be synchronized with its disk: {problem}");
        }
    }
}
