using System.Text;

namespace Graphene.Codegen;

/// <summary>A native library that the compiler needs is missing, or none of those found will do.</summary>
/// <remarks>The message has the form of a <see cref="GraphException"/>: what, where, why, fix.</remarks>
public sealed class NativeLibraryException : Exception
{
    private const int MaxAttemptsInMessage = 8;

    /// <summary>Creates the exception and composes its message from the parts.</summary>
    /// <param name="library">What the library is called by people, such as <c>LLVM</c>.</param>
    /// <param name="files">File names under which it was looked for.</param>
    /// <param name="attempts">Places looked at, with what was wrong with each.</param>
    /// <param name="expectedVersion">Versions that are accepted, in words.</param>
    /// <param name="fix">What the user can do about it.</param>
    public NativeLibraryException(
        string library,
        IReadOnlyList<string> files,
        IReadOnlyList<NativeLibraryAttempt> attempts,
        string expectedVersion,
        string fix)
        : base(Compose(library, files, attempts, expectedVersion, fix))
    {
        Library = library;
        Files = files;
        Attempts = attempts;
        ExpectedVersion = expectedVersion;
        Fix = fix;
    }

    /// <summary>The identity of the error.</summary>
    public DiagnosticId Id { get; } = CodegenDiagnostics.NativeLibrary;

    /// <summary>What the library is called by people, such as <c>LLVM</c>.</summary>
    public string Library { get; }

    /// <summary>File names under which it was looked for.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Places looked at, in order, with what was wrong with each.</summary>
    public IReadOnlyList<NativeLibraryAttempt> Attempts { get; }

    /// <summary>Versions that are accepted, in words.</summary>
    public string ExpectedVersion { get; }

    /// <summary>What the user can do about it.</summary>
    public string Fix { get; }

    private static string Compose(
        string library,
        IReadOnlyList<string> files,
        IReadOnlyList<NativeLibraryAttempt> attempts,
        string expectedVersion,
        string fix)
    {
        // A file that is there but unsuitable explains more than fifty that are not.
        List<NativeLibraryAttempt> found = [.. attempts.Where(a => a.Problem != NativeLibraryAttempt.NotFound)];
        List<string> missing = [.. attempts.Where(a => a.Problem == NativeLibraryAttempt.NotFound).Select(a => a.Path)];

        var text = new StringBuilder($"{CodegenDiagnostics.NativeLibrary.Code} {library}: ");
        text.Append(found.Count == 0 ? "the library was not found" : "no suitable library was found");
        foreach (NativeLibraryAttempt attempt in found.Take(MaxAttemptsInMessage))
        {
            text.Append("\n  at   ").Append(attempt.Path).Append(": ").Append(attempt.Problem);
        }

        if (missing.Count > 0)
        {
            text.Append("\n  at   not found: ").AppendJoin(", ", missing.Take(MaxAttemptsInMessage));
            if (missing.Count > MaxAttemptsInMessage)
            {
                text.Append(" and ").Append(missing.Count - MaxAttemptsInMessage).Append(" more");
            }
        }

        text.Append("\n  why  ").Append(library).Append(' ').Append(expectedVersion);
        text.Append(" is needed, for example as ").AppendJoin(" or ", files.Take(2));
        text.Append("\n  fix  ").Append(fix);
        return text.ToString();
    }
}
