using Graphene.Tests.Diagnostics;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>Each error of a build with models has a page in docs/errors, which shows what provokes it and what the build says.</summary>
internal sealed class BuildErrorPageTests
{
    private const string Heading = "## Example\n";

    private static IEnumerable<TestCaseData> Errors() => BuildError.All.Select(e => new TestCaseData(e).SetArgDisplayNames(e.Code));

    [Test]
    public void EveryPageBelongsToAnError()
    {
        IEnumerable<string?> pages = Directory.GetFiles(ErrorPage.Folder, "GRPH*.md").Select(Path.GetFileNameWithoutExtension);

        Assert.That(pages.Order(), Is.EqualTo(BuildError.All.Select(e => e.Code)));
    }

    [TestCaseSource(nameof(Errors))]
    public void ThePageShowsWhatTheBuildSays(BuildError error)
    {
        string path = Path.Combine(ErrorPage.Folder, $"{error.Code}.md");
        Assert.That(path, Does.Exist, "every error has a page");
        string page = File.ReadAllText(path);
        int start = page.IndexOf(Heading, StringComparison.Ordinal);
        string[] lines = [.. error.Provoke()];
        string example = $"{Heading}\n```{error.Language}\n{error.Source}\n```\n\n```\n{string.Join('\n', lines)}\n```\n";

        Assert.That(lines, Is.Not.Empty);
        Assert.That(lines, Has.All.Contains($"error {error.Code}: "));
        if (GoldenFile.Blesses)
        {
            File.WriteAllText(path, page[..(start < 0 ? page.Length : start)].TrimEnd() + "\n\n" + example);
            return;
        }
        Assert.That(page, Does.StartWith($"# {error.Code}: "));
        Assert.That(page[..start], Has.Length.GreaterThan(120), "the page says nothing");
        Assert.That(page[start..], Is.EqualTo(example), "GRAPHENE_BLESS=1 renews the example");
    }
}
