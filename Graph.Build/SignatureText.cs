using System.Globalization;
using System.Text;

namespace Graphene.Build;

/// <summary>Reads the signature files that <c>graphene build-model</c> writes: lines of words between tabs.</summary>
internal static class SignatureText
{
    /// <summary>What the files are called behind the name of the bundle.</summary>
    public const string Extension = ".signature";

    private const string Version = "1";

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is none, or of another version.</exception>
    public static ModelDescription Parse(string text)
    {
        var lines = new Queue<string[]>(
            text.Split('\n').Where(l => l.Length > 0).Select(l => l.TrimEnd('\r').Split('\t').Select(Unescape).ToArray()));
        string version = Take(lines, "graphene-signature", 2)[1];
        if (version != Version)
        {
            throw new FormatException($"it is of version {version}, this generator reads version {Version}");
        }
        string model = Take(lines, "model", 2)[1];
        string bundle = Take(lines, "bundle", 2)[1];
        Take(lines, "sha256", 2);
        string[] names = Take(lines, "class", 4);
        var functions = new List<FunctionDescription>();
        while (lines.Count > 0)
        {
            string[] function = Take(lines, "function", 3);
            functions.Add(new FunctionDescription(
                function[1], function[2], [.. TakeAll(lines, "symbol", 4).Select(Symbol)],
                [.. TakeAll(lines, "input", 3).Select(Port)], [.. TakeAll(lines, "output", 3).Select(Port)]));
        }
        return new ModelDescription(model, bundle, names[1], names[2], names[3], functions);
    }

    private static string[] Take(Queue<string[]> lines, string kind, int words) =>
        lines.Count > 0 && lines.Peek()[0] == kind && lines.Peek().Length >= words
            ? lines.Dequeue()
            : throw new FormatException($"a line '{kind}' with {words} words is missing");

    private static IEnumerable<string[]> TakeAll(Queue<string[]> lines, string kind, int words)
    {
        while (lines.Count > 0 && lines.Peek()[0] == kind)
        {
            yield return Take(lines, kind, words);
        }
    }

    private static SymbolDescription Symbol(string[] words) => new(words[1], Number(words[2]), Number(words[3]));

    private static PortDescription Port(string[] words) => new(words[1], words[2], [.. words.Skip(3).Select(Dim)]);

    private static DimDescription Dim(string word) => word.Length > 0 && word[0] is '=' or '?'
        ? new DimDescription(word.Substring(1), null)
        : new DimDescription(word, Number(word));

    private static long Number(string word) => long.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Unescape(string word)
    {
        if (word.IndexOf('\\') < 0)
        {
            return word;
        }
        var text = new StringBuilder();
        using var reader = new StringReader(word);
        for (int c = reader.Read(); c >= 0; c = reader.Read())
        {
            text.Append(c != '\\' ? (char)c : reader.Read() switch
            {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                var other => (char)other,
            });
        }
        return text.ToString();
    }
}
