namespace Graphene.Codegen;

/// <summary>What names mean while Kernel IR text is read.</summary>
internal sealed class KernelScope
{
    private readonly Dictionary<string, object> _visible = new(StringComparer.Ordinal);

    /// <summary>The symbols by name.</summary>
    public Dictionary<string, DimSymbol> Symbols { get; } = new(StringComparer.Ordinal);

    /// <summary>The threads of a task; 0 where it is one and there are no others.</summary>
    public int Threads { get; set; }

    /// <summary>Whether a task is many threads.</summary>
    public bool HasThreads => Threads > 0;

    /// <summary>Makes a buffer, variable or register visible.</summary>
    public void Declare(TextCursor cursor, int position, string name, object named)
    {
        if (!_visible.TryAdd(name, named))
        {
            throw cursor.ErrorAt(position, $"'{name}' is declared while it is visible already", DiagnosticId.TextDuplicateName);
        }
    }

    /// <summary>Ends the visibility of a name.</summary>
    public void Remove(string name) => _visible.Remove(name);

    /// <summary>What a name means here, of a kind.</summary>
    public T Find<T>(TextCursor cursor, int position, string name, string kind)
        where T : class => _visible.GetValueOrDefault(name) as T
            ?? throw cursor.ErrorAt(position, $"there is no {kind} '{name}' here", DiagnosticId.TextUnknownName);

    /// <summary>What a name means here, if anything.</summary>
    public object? TryFind(string name) => _visible.GetValueOrDefault(name);

    /// <summary>Reads a name: letters, digits, underscores and dots, not beginning with a digit or dot.</summary>
    public static string ReadName(TextCursor cursor)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        while (!cursor.AtEnd && (char.IsAsciiLetterOrDigit(cursor.Current) || cursor.Current is '_' or '.'))
        {
            cursor.Position++;
        }
        return cursor.Position > start && !char.IsAsciiDigit(cursor.Text[start]) && cursor.Text[start] != '.'
            ? cursor.Text[start..cursor.Position]
            : throw cursor.ErrorAt(start, "expected a name");
    }

    /// <summary>Reads a number of things; whatever is not in range is refused by whoever counts them.</summary>
    public static int ReadCount(TextCursor cursor) => (int)Math.Clamp(cursor.Integer(), -1, int.MaxValue);

    /// <summary>Reads a symbol's name, quoted where it is no word.</summary>
    public static string ReadSymbolName(TextCursor cursor)
    {
        cursor.SkipBlanks();
        return cursor.Current == '"' ? cursor.Quoted() : TypeText.ReadSymbolName(cursor);
    }
}
