using System.Reflection;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Diagnostics;

/// <summary>
/// Every identity of an error, over all assemblies, has one code, one page in docs/errors, and an example that provokes it.
/// </summary>
/// <remarks>
/// The example is on the page: IR text in a block of its own, or the C# of <see cref="ErrorExamples"/>, followed by the error
/// that it gives. GRAPHENE_BLESS=1 writes the C# and the errors into the pages.
/// </remarks>
internal sealed class DiagnosticIdTests
{
    private static readonly string[] Assemblies =
    [
        "Graphene", "Graphene.Optimizer", "Graphene.Codegen", "Graphene.Runtime", "Graphene.Data", "Graphene.Interop",
        "Graphene.Train", "Graphene.Hosting",
    ];

    private static IEnumerable<TestCaseData> Ids() =>
        AllIds().OrderBy(d => d.Id.Code, StringComparer.Ordinal).Select(d => new TestCaseData(d.Id).SetArgDisplayNames(d.Id.Code));

    [Test]
    public void NoCodeIsGivenTwice()
    {
        string[] repeated =
        [
            .. AllIds().GroupBy(d => d.Id.Code).Where(g => g.Count() > 1)
                .Select(g => $"{g.Key}: {string.Join(", ", g.Select(d => d.Field))}"),
        ];

        Assert.That(repeated, Is.Empty);
    }

    [Test]
    public void EveryPageBelongsToAnId()
    {
        HashSet<string> known = [.. AllIds().Select(d => d.Id.Code)];
        IEnumerable<string?> pages = Directory.GetFiles(ErrorPage.Folder, "GR*.md").Select(Path.GetFileNameWithoutExtension)
            .Where(p => !p!.StartsWith("GRPH", StringComparison.Ordinal)); // of builds: Graph.Tests/Packages

        Assert.That(pages.Where(p => !known.Contains(p!)), Is.Empty);
    }

    [TestCaseSource(nameof(Ids))]
    public void ThePageShowsWhatProvokesTheError(DiagnosticId id)
    {
        Assert.That(ErrorPage.PathOf(id), Does.Exist, "every error has a page");
        ErrorPage page = ErrorPage.Read(id);
        ErrorExample? example = ErrorExamples.All.SingleOrDefault(e => e.Id == id) ?? page.IrExample();
        Assert.That(example, Is.Not.Null, "the page has no IR text as example, and ErrorExamples has no C#");

        (DiagnosticId actual, string message) = example!.Provoke();

        Assert.That(actual, Is.EqualTo(id), message);
        if (GoldenFile.Blesses)
        {
            page.WithExample(example, message).Write();
            return;
        }
        Assert.That(page.Title, Is.EqualTo($"# {id.Code}: {id.Title}"));
        Assert.That(page.Explanation, Has.Length.GreaterThan(80), "the page says nothing");
        Assert.That(page.Example, Is.EqualTo(ErrorPage.ExampleText(example, message)), "GRAPHENE_BLESS=1 renews the example");
    }

    private static IEnumerable<(string Field, DiagnosticId Id)> AllIds() =>
        from name in Assemblies
        from type in Assembly.Load(name).GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(DiagnosticId)
        select ($"{type.Name}.{field.Name}", (DiagnosticId)field.GetValue(null)!);
}
