using Graphene.Tests.Support;

namespace Graphene.Tests.Diagnostics;

/// <summary>A page of docs/errors: a title, an explanation, and an example with the error that it gives.</summary>
/// <param name="Id">The error.</param>
/// <param name="Title">The first line.</param>
/// <param name="Explanation">What stands between title and example.</param>
/// <param name="Example">From the heading of the example to the end; empty on a new page.</param>
internal sealed record ErrorPage(DiagnosticId Id, string Title, string Explanation, string Example)
{
    private const string Heading = "## Example\n";

    public static string Folder => RepositoryRoot.Combine("docs", "errors");

    public static string PathOf(DiagnosticId id) => Path.Combine(Folder, $"{id.Code}.md");

    public static ErrorPage Read(DiagnosticId id)
    {
        string text = File.ReadAllText(PathOf(id));
        int start = text.IndexOf('\n') + 1;
        int example = text.IndexOf(Heading, StringComparison.Ordinal);
        int end = example < 0 ? text.Length : example;
        return new ErrorPage(id, text[..(start - 1)], text[start..end].Trim(), text[end..]);
    }

    /// <summary>The example as IR text that is parsed, or null when the page has none.</summary>
    public ErrorExample? IrExample()
    {
        const string Fence = "```hlo\n";
        int start = Example.IndexOf(Fence, StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }
        start += Fence.Length;
        string source = Example[start..Example.IndexOf("\n```\n", start, StringComparison.Ordinal)];
        return new ErrorExample(Id, "hlo", source, () => Parser.ParseModule(source, "example.hlo"));
    }

    /// <summary>What the page should say as example.</summary>
    public static string ExampleText(ErrorExample example, string message) =>
        $"{Heading}\n```{example.Language}\n{example.Source}\n```\n\n```\n{message}\n```\n";

    public ErrorPage WithExample(ErrorExample example, string message) =>
        this with { Title = $"# {Id.Code}: {Id.Title}", Example = ExampleText(example, message) };

    public void Write() => File.WriteAllText(PathOf(Id), $"{Title}\n\n{Explanation}\n\n{Example}");
}
