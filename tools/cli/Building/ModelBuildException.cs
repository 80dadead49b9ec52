namespace Graphene.Cli.Building;

/// <summary>The errors that compiling a <c>GrapheneModel</c> item can give; each has a page in docs/errors.</summary>
internal enum ModelBuildError
{
    /// <summary>The model file does not exist.</summary>
    MissingModel = 1,

    /// <summary>The model file cannot be read.</summary>
    BadModel = 2,

    /// <summary>The model uses something that the importer does not know.</summary>
    Unsupported = 3,

    /// <summary>Metadata of the item is wrong.</summary>
    BadItem = 4,

    /// <summary>Code cannot be made for the platform.</summary>
    BadTarget = 5,

    /// <summary>The compiler cannot work here.</summary>
    NoCompiler = 6,

    /// <summary>The compiler failed.</summary>
    CompilerFailed = 7,
}

/// <summary>One or more errors about one item, to be shown by the build where the item is.</summary>
internal sealed class ModelBuildException(BuildRequest request, ModelBuildError error, params IReadOnlyList<string> messages)
    : Exception(string.Join("; ", messages))
{
    /// <summary>The lines for the build, in the form that it takes for errors: file, place, id and text.</summary>
    /// <param name="where">A better place than the item: a file with line, or null.</param>
    public IEnumerable<string> Lines(string? where = null)
    {
        where ??= ItemPlace.Find(request.Project, request.Item);
        return messages.Select(m => $"{where}: error GRPH{(int)error:000}: {OneLine(m)}");
    }

    // The build takes each line as a message of its own.
    private static string OneLine(string message) => string.Join(
        "; ", message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(WithoutLabel));

    // The lines of errors begin with "at   ", "why  " or "fix  ".
    private static string WithoutLabel(string line) => line switch
    {
        ['a', 't', ' ', ' ', .. var place] => "at " + place.TrimStart(),
        ['w', 'h', 'y', ' ', ' ', .. var reason] => reason,
        ['f', 'i', 'x', ' ', ' ', .. var advice] => "fix: " + advice,
        _ => line,
    };
}
