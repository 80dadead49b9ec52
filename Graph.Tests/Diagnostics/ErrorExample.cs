using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Diagnostics;

/// <summary>Something that a user does and the error that it gives.</summary>
/// <param name="Id">The error.</param>
/// <param name="Language">Of the source: <c>csharp</c> or <c>hlo</c>.</param>
/// <param name="Source">What the page shows.</param>
/// <param name="Run">Does it.</param>
internal sealed record ErrorExample(DiagnosticId Id, string Language, string Source, Action Run)
{
    private const string ListStart = "  fix  choose from: ";
    private const int NamesShown = 3;

    /// <summary>Does it, and gives the error's identity and message without the places of C# files.</summary>
    public (DiagnosticId Id, string Message) Provoke()
    {
        Exception? error = Assert.Catch(() => Run());
        DiagnosticId? id = error switch
        {
            GraphException e => e.Id,
            NativeLibraryException e => e.Id,
            ObjectLoadException e => e.Id,
            _ => null,
        };
        Assert.That(id, Is.Not.Null, $"{error}");
        // Lines of C# move and files lie elsewhere on other machines; a line of IR text does not.
        IEnumerable<string> lines = error!.Message.Split('\n')
            .Where(l => Language == "hlo" || !l.StartsWith("  at ", StringComparison.Ordinal));
        string message = string.Join('\n', lines.Select(ShortenList));
        return (id!, message.Replace(Environment.CurrentDirectory + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
    }

    // A list of all passes, say, changes with every new one.
    private static string ShortenList(string line) =>
        line.StartsWith(ListStart, StringComparison.Ordinal) && line.Split(", ").Length > NamesShown ? $"{ListStart}..." : line;
}
