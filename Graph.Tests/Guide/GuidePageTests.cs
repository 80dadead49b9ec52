using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>Every C# snippet of docs/guide stands word for word in a test of this folder, which compiles and runs it.</summary>
/// <remarks>A snippet is what stands between <c>// snippet</c> and <c>// end</c>; a page consists of those of one file.</remarks>
internal sealed class GuidePageTests
{
    private static readonly string Folder = RepositoryRoot.Combine("docs", "guide");

    private static IEnumerable<string> Pages() => Directory.GetFiles(Folder, "*.md").Select(Path.GetFileName).Order()!;

    [TestCaseSource(nameof(Pages))]
    public void EverySnippetOfThePageIsRun(string page)
    {
        string[] shown = [.. Blocks(File.ReadAllText(Path.Combine(Folder, page)).ReplaceLineEndings("\n"))];
        string tests = RepositoryRoot.Combine("Graph.Tests", "Guide", $"{ClassOf(page)}.cs");

        Assert.That(tests, Does.Exist, $"the tests of {page}");
        Assert.That(shown, Is.Not.Empty);
        Assert.That(shown, Is.EqualTo(Snippets(File.ReadAllLines(tests))), $"what {page} shows and what {ClassOf(page)} runs");
    }

    // first-graph.md: FirstGraphGuideTests
    private static string ClassOf(string page) =>
        string.Concat(Path.GetFileNameWithoutExtension(page).Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..])) + "GuideTests";

    private static IEnumerable<string> Blocks(string text) =>
        text.Split("```csharp\n").Skip(1).Select(block => block.Split("\n```")[0]);

    private static IEnumerable<string> Snippets(string[] source)
    {
        for (int begin = 0; begin < source.Length; begin++)
        {
            if (source[begin].Trim() == "// snippet")
            {
                int indent = source[begin].IndexOf('/', StringComparison.Ordinal);
                int end = Array.FindIndex(source, begin, l => l.Trim() == "// end");
                yield return string.Join('\n', source[(begin + 1)..end].Select(l => l.Length == 0 ? l : l[indent..]));
            }
        }
    }
}
