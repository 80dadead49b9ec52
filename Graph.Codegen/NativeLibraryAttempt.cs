namespace Graphene.Codegen;

/// <summary>One place where a native library was looked for, and why it was not taken.</summary>
/// <param name="Path">The path, or a bare file name that was left to the system's loader.</param>
/// <param name="Problem"><see cref="NotFound"/>, or what is wrong with the file that is there.</param>
public sealed record NativeLibraryAttempt(string Path, string Problem)
{
    /// <summary>The problem of a place that has no such file.</summary>
    public const string NotFound = "not found";
}
