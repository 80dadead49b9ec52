using System.Text;

namespace Graphene.Tests.Support;

/// <summary>A golden file: comments, IR text, a line with =>, and the IR text that a pass makes of it.</summary>
/// <param name="Path">Where the file lies.</param>
/// <param name="Comments">The lines that begin with // at the top: what the case shows.</param>
/// <param name="Input">The text before the arrow.</param>
/// <param name="Expected">The text behind the arrow; empty in a new file.</param>
internal sealed record GoldenFile(string Path, string Comments, string Input, string Expected)
{
    private const string Arrow = "=>";

    /// <summary>True when GRAPHENE_BLESS=1 asks to write what passes make into the files.</summary>
    public static bool Blesses => Environment.GetEnvironmentVariable("GRAPHENE_BLESS") == "1";

    /// <summary>Reads a file.</summary>
    public static GoldenFile Read(string path)
    {
        var comments = new StringBuilder();
        var input = new StringBuilder();
        var expected = new StringBuilder();
        bool behindArrow = false;
        foreach (string line in File.ReadLines(path))
        {
            if (line == Arrow)
            {
                behindArrow = true;
            }
            else if (input.Length == 0 && line.StartsWith("//", StringComparison.Ordinal))
            {
                comments.Append(line).Append('\n');
            }
            else
            {
                (behindArrow ? expected : input).Append(line).Append('\n');
            }
        }
        return new GoldenFile(path, comments.ToString(), input.ToString(), expected.ToString());
    }

    /// <summary>True when a word stands in the line of options at the top, for example <c>// options: fast-math</c>.</summary>
    public bool HasOption(string word) => Comments.Split('\n').Any(
        line => line.StartsWith("// options:", StringComparison.Ordinal) && line.Split(' ', ',').Contains(word));

    /// <summary>Writes the file with another expected half.</summary>
    public void Bless(string expected) => File.WriteAllText(Path, $"{Comments}{Input}{Arrow}\n{expected}");

    /// <summary>The folder and the name of the file, as the name of the test.</summary>
    public override string ToString() =>
        $"{System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(Path))}/{System.IO.Path.GetFileNameWithoutExtension(Path)}";
}
