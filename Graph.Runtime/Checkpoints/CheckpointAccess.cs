namespace Graphene.Runtime;

/// <summary>What a file system says, as an error of ours.</summary>
internal static class CheckpointAccess
{
    /// <summary>Whether an error says that a file cannot be used.</summary>
    public static bool IsFailure(Exception e) =>
        e is IOException or UnauthorizedAccessException or NotSupportedException;

    /// <summary>The error for a path.</summary>
    public static GraphException Error(string path, Exception cause) => new(
        RuntimeDiagnostics.CheckpointAccess, $"{path}: {cause.Message}", path,
        fix: "check the path, its permissions and the space on its disk", inner: cause);
}
