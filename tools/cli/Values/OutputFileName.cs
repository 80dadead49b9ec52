namespace Graphene.Cli.Values;

/// <summary>File names for outputs: names come from model files and must not lead out of the folder.</summary>
internal static class OutputFileName
{
    private const int MaxLength = 200;

    /// <summary>The name with everything but letters, digits and <c>. _ -</c> replaced by <c>_</c>.</summary>
    public static string Of(string name)
    {
        string safe = string.Concat(name.Take(MaxLength).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));
        return safe.Trim('.').Length == 0 ? "_" : safe;
    }
}
