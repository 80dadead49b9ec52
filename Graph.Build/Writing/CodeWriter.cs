using System.Text;

namespace Graphene.Build.Writing;

/// <summary>Collects lines of C#, indented.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Appends a line.</summary>
    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', 4 * _depth).Append(line);
        }
        _text.Append('\n');
    }

    /// <summary>Begins a block.</summary>
    public void Open()
    {
        Line("{");
        _depth++;
    }

    /// <summary>Ends a block.</summary>
    public void Close()
    {
        _depth--;
        Line("}");
    }

    /// <summary>Text as it stands in XML documentation.</summary>
    public static string Xml(string text)
    {
        var safe = new StringBuilder();
        foreach (char c in text)
        {
            safe.Append(c switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                _ when char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\u0085' => "?",
                _ => c.ToString(),
            });
        }
        return safe.ToString();
    }

    /// <summary>Text as a C# literal.</summary>
    public static string Literal(string text) => Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(text, quote: true);

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
