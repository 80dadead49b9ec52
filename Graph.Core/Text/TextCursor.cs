using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>A position in IR text: takes the small pieces off it and says where something is wrong.</summary>
/// <param name="text">The whole text.</param>
/// <param name="file">Its name in messages.</param>
internal sealed class TextCursor(string text, string file)
{
    private int _knownPosition;
    private int _knownLine = 1;

    /// <summary>The index of the next character.</summary>
    public int Position { get; set; }

    /// <summary>The whole text.</summary>
    public string Text => text;

    /// <summary>Its name in messages.</summary>
    public string File => file;

    public bool AtEnd => Position >= text.Length;

    public bool AtLineEnd => AtEnd || Current is '\n' or '\r';

    /// <summary>The next character; 0 at the end.</summary>
    public char Current => AtEnd ? '\0' : text[Position];

    public void SkipBlanks()
    {
        while (!AtEnd && Current is ' ' or '\t')
        {
            Position++;
        }
    }

    /// <summary>Skips blanks, ends of lines and comments.</summary>
    public void SkipToStatement()
    {
        while (!AtEnd)
        {
            if (Current is ' ' or '\t' or '\r' or '\n')
            {
                Position++;
            }
            else if (AtComment)
            {
                int end = text.IndexOf('\n', Position);
                Position = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    public bool TryTake(char c)
    {
        SkipBlanks();
        if (AtEnd || Current != c)
        {
            return false;
        }
        Position++;
        return true;
    }

    public void Expect(char c)
    {
        if (!TryTake(c))
        {
            throw Error($"expected '{c}'");
        }
    }

    /// <summary>Takes a keyword when it stands here as a whole word.</summary>
    public bool TryTakeWord(string word)
    {
        SkipBlanks();
        if (!text.AsSpan(Position).StartsWith(word, StringComparison.Ordinal) ||
            (Position + word.Length < text.Length && IsWordPart(text[Position + word.Length])))
        {
            return false;
        }
        Position += word.Length;
        return true;
    }

    /// <summary>Takes letters, digits, underscores, dots and inner hyphens; at least one.</summary>
    public string Word(string what)
    {
        SkipBlanks();
        int start = Position;
        while (!AtEnd && IsWordPart(Current))
        {
            Position++;
        }
        return Position > start ? text[start..Position] : throw Error($"expected {what}");
    }

    public long Integer()
    {
        SkipBlanks();
        int start = Position;
        if (!AtEnd && Current == '-')
        {
            Position++;
        }
        while (!AtEnd && char.IsAsciiDigit(Current))
        {
            Position++;
        }
        if (long.TryParse(
            text.AsSpan(start, Position - start), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            return value;
        }
        Position = start;
        throw Error("expected a 64-bit integer");
    }

    public string Quoted()
    {
        Expect('"');
        var value = new StringBuilder();
        while (!AtLineEnd && Current != '"')
        {
            value.Append(Current == '\\' ? Escape() : Current);
            Position++;
        }
        Expect('"');
        return value.ToString();
    }

    /// <summary>True where a comment begins.</summary>
    public bool AtComment => text.AsSpan(Position).StartsWith("//", StringComparison.Ordinal);

    /// <summary>Throws unless nothing but blanks and a comment is left on the line.</summary>
    public void ExpectLineEnd()
    {
        SkipBlanks();
        if (!AtLineEnd && !AtComment)
        {
            throw Error("expected the end of the line");
        }
    }

    /// <summary>The line of a position, from 1.</summary>
    public int LineAt(int position)
    {
        if (position < _knownPosition)
        {
            (_knownPosition, _knownLine) = (0, 1);
        }
        _knownLine += text.AsSpan(_knownPosition, position - _knownPosition).Count('\n');
        _knownPosition = position;
        return _knownLine;
    }

    public string Where(int position)
    {
        int lineStart = position == 0 ? 0 : text.LastIndexOf('\n', position - 1) + 1;
        return $"{file}:{LineAt(position)}:{position - lineStart + 1}";
    }

    /// <summary>The error, placed at the next character.</summary>
    public GraphException Error(string what, DiagnosticId? id = null, string? why = null, string? fix = null)
    {
        string found = AtEnd ? "the end of the text" : AtLineEnd ? "the end of the line" : Excerpt();
        return ErrorAt(Position, $"{what}, found {found}", id, why, fix);
    }

    /// <summary>The error, placed at a position.</summary>
    public GraphException ErrorAt(int position, string what, DiagnosticId? id = null, string? why = null, string? fix = null) =>
        new(id ?? DiagnosticId.TextSyntax, what, Where(position), why, fix);

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-';

    private string Excerpt()
    {
        int length = 0;
        while (length < 20 && Position + length < text.Length && text[Position + length] is >= ' ')
        {
            length++;
        }
        return length == 0 ? $"character {(int)Current}" : $"'{text.AsSpan(Position, length)}'";
    }

    private char Escape()
    {
        Position++;
        if (Current == 'u' && Position + 4 < text.Length && ushort.TryParse(
            text.AsSpan(Position + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code))
        {
            Position += 4;
            return (char)code;
        }
        return Current is '"' or '\\' ? Current : throw Error("expected \\\", \\\\ or \\u and four hexadecimal digits");
    }
}
