using System.Collections.Immutable;

namespace Graphene;

/// <summary>Reads IR text: the exact inverse of <see cref="Printer"/>.</summary>
/// <remarks>
/// The text may come from anywhere: whatever it holds, the outcome is a module whose types were inferred anew, or a
/// <see cref="GraphException"/> with line and column. Lines that begin with // are comments.
/// </remarks>
public static class Parser
{
    /// <summary>Reads a module. Header, symbols and nested computations may be missing, as in a golden file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its name in messages and in the provenance of the nodes.</param>
    /// <exception cref="GraphException">The text is not a module.</exception>
    public static Module ParseModule(string text, string file = "text")
    {
        var cursor = new TextCursor(text, file);
        var scope = new TextScope();
        cursor.SkipToStatement();
        string name = cursor.TryTakeWord("module") ? TakeLine(cursor, cursor.Quoted) : "module";
        ReadSymbols(cursor, scope);
        ImmutableArray<string>? inputs = ReadNames(cursor, "inputs");
        ImmutableArray<string>? outputs = ReadNames(cursor, "outputs");
        ReadComputations(cursor, scope);
        Computation entry = BodyParser.Read(cursor, scope, "main");
        cursor.SkipToStatement();
        if (!cursor.AtEnd)
        {
            throw cursor.Error("expected the end of the text after the entry's return");
        }
        return new Module(
            name, entry,
            NamesFor(cursor, inputs, entry.Parameters.Length, "inputs", "p"),
            NamesFor(cursor, outputs, entry.Results.Length, "outputs", "r"),
            scope.Provenance);
    }

    /// <summary>Reads the entry computation of a module.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its name in messages.</param>
    /// <exception cref="GraphException">The text is not a module.</exception>
    public static Computation ParseComputation(string text, string file = "text") => ParseModule(text, file).Entry;

    private static void ReadSymbols(TextCursor cursor, TextScope scope)
    {
        cursor.SkipToStatement();
        while (cursor.TryTakeWord("symbol"))
        {
            cursor.SkipBlanks();
            int start = cursor.Position;
            string name = cursor.Current == '"' ? cursor.Quoted() : TypeText.ReadSymbolName(cursor);
            if (!cursor.TryTakeWord("in"))
            {
                throw cursor.Error("expected 'in' and the symbol's bounds, like: in 1..512");
            }
            long min = cursor.Integer();
            cursor.Expect('.');
            cursor.Expect('.');
            long max = cursor.Integer();
            cursor.ExpectLineEnd();
            if (min < 0 || max < min)
            {
                throw cursor.ErrorAt(start, $"the symbol {name} cannot be in {min}..{max}", why: "bounds ascend from 0 or more");
            }
            if (!scope.Symbols.TryAdd(name, new DimSymbol(name, min, max)))
            {
                throw cursor.ErrorAt(start, $"the symbol '{name}' is declared twice", DiagnosticId.TextDuplicateName);
            }
            cursor.SkipToStatement();
        }
    }

    private static ImmutableArray<string>? ReadNames(TextCursor cursor, string keyword)
    {
        if (!cursor.TryTakeWord(keyword))
        {
            return null;
        }
        var names = ImmutableArray.CreateBuilder<string>();
        cursor.SkipBlanks();
        while (!cursor.AtLineEnd)
        {
            if (names.Count > 0)
            {
                cursor.Expect(',');
            }
            names.Add(cursor.Quoted());
            cursor.SkipBlanks();
        }
        cursor.SkipToStatement();
        return names.ToImmutable();
    }

    private static ImmutableArray<string> NamesFor(
        TextCursor cursor, ImmutableArray<string>? names, int count, string keyword, string prefix)
    {
        if (names is { } given && given.Length != count)
        {
            throw cursor.Error($"{given.Length} {keyword} are named, the entry has {count}");
        }
        return names ?? [.. Enumerable.Range(0, count).Select(i => $"{prefix}{i}")];
    }

    private static void ReadComputations(TextCursor cursor, TextScope scope)
    {
        cursor.SkipToStatement();
        while (cursor.TryTake('@'))
        {
            int start = cursor.Position;
            string name = cursor.Word("the name of a computation");
            cursor.Expect('{');
            cursor.ExpectLineEnd();
            Computation computation = BodyParser.Read(cursor, scope, name);
            cursor.SkipToStatement();
            cursor.Expect('}');
            cursor.ExpectLineEnd();
            if (!scope.Computations.TryAdd(name, computation))
            {
                throw cursor.ErrorAt(start, $"the computation @{name} is written twice", DiagnosticId.TextDuplicateName);
            }
            cursor.SkipToStatement();
        }
    }

    private static string TakeLine(TextCursor cursor, Func<string> read)
    {
        string value = read();
        cursor.ExpectLineEnd();
        return value;
    }
}
