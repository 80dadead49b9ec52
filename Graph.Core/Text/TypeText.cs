namespace Graphene;

/// <summary>Reads types and dims as <see cref="TensorType.ToString"/> and <see cref="Dim.ToString"/> write them.</summary>
internal static class TypeText
{
    private const int DeepestDim = 32;
    private const int LargestRank = 64;

    /// <summary>Reads <c>f32[batch,8]{0,1}</c>.</summary>
    public static TensorType ReadType(TextCursor cursor, IReadOnlyDictionary<string, DimSymbol> symbols)
    {
        DType type = ReadDType(cursor);
        int start = cursor.Position;
        ValueList<Dim> dims = ReadDims(cursor, symbols);
        if (dims.Count > LargestRank)
        {
            throw cursor.ErrorAt(start, $"a type has {dims.Count} dimensions; at most {LargestRank} can be read");
        }
        foreach (Dim dim in dims)
        {
            if (dim.Range.Max < 0)
            {
                throw cursor.ErrorAt(start, $"a dimension cannot be {dim}", why: "a dimension is 0 or more");
            }
        }
        var shape = Shape.From(dims);
        return new TensorType(type, shape, ReadLayout(cursor, shape.Rank));
    }

    public static DType ReadDType(TextCursor cursor)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        string name = cursor.Word("an element type");
        return DTypeFacts.TryParse(name, out DType type)
            ? type
            : throw cursor.ErrorAt(start, $"'{name}' is not an element type", fix: "write one like f32, bf16, i64 or bool");
    }

    /// <summary>Reads <c>[batch,2*seq+1,3]</c>.</summary>
    public static ValueList<Dim> ReadDims(TextCursor cursor, IReadOnlyDictionary<string, DimSymbol> symbols) =>
        ReadList(cursor, () => ReadDim(cursor, symbols)).ToValueList();

    /// <summary>Reads a bracketed, comma-separated list.</summary>
    public static List<T> ReadList<T>(TextCursor cursor, Func<T> item, char open = '[', char close = ']')
    {
        var items = new List<T>();
        cursor.Expect(open);
        if (cursor.TryTake(close))
        {
            return items;
        }
        do
        {
            items.Add(item());
        }
        while (cursor.TryTake(','));
        cursor.Expect(close);
        return items;
    }

    /// <summary>Reads a sum of products of numbers, symbols and floordiv, max, min.</summary>
    public static Dim ReadDim(TextCursor cursor, IReadOnlyDictionary<string, DimSymbol> symbols)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        try
        {
            return ReadSum(cursor, symbols, 0);
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw cursor.ErrorAt(start, "a dimension expression has no 64-bit value", why: e.Message);
        }
    }

    private static Dim ReadSum(TextCursor cursor, IReadOnlyDictionary<string, DimSymbol> symbols, int depth)
    {
        if (depth > DeepestDim)
        {
            throw cursor.Error($"a dimension expression is nested deeper than {DeepestDim}");
        }
        Dim sum = 0;
        bool isNegative = cursor.TryTake('-');
        do
        {
            Dim product = isNegative ? -1 : 1;
            do
            {
                product *= ReadFactor(cursor, symbols, depth);
            }
            while (cursor.TryTake('*'));
            sum += product;
            isNegative = cursor.TryTake('-');
        }
        while (isNegative || cursor.TryTake('+'));
        return sum;
    }

    private static Dim ReadFactor(TextCursor cursor, IReadOnlyDictionary<string, DimSymbol> symbols, int depth)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        if (char.IsAsciiDigit(cursor.Current))
        {
            return cursor.Integer();
        }
        bool isQuoted = cursor.Current == '"';
        string name = isQuoted ? cursor.Quoted() : ReadSymbolName(cursor);
        if (!isQuoted && DimSymbol.IsReservedWord(name))
        {
            cursor.Expect('(');
            Dim left = ReadSum(cursor, symbols, depth + 1);
            cursor.Expect(',');
            Dim right = ReadSum(cursor, symbols, depth + 1);
            cursor.Expect(')');
            return name switch
            {
                "floordiv" => Dim.FloorDiv(left, right),
                "max" => Dim.Max(left, right),
                _ => Dim.Min(left, right),
            };
        }
        return symbols.TryGetValue(name, out DimSymbol? symbol)
            ? symbol
            : throw cursor.ErrorAt(
                start, $"the symbol '{name}' is not declared", DiagnosticId.TextUnknownName,
                fix: $"add a line: symbol {DimSymbol.Quote(name)} in 1..1024");
    }

    // A symbol's plain name has no hyphen: a-b is a difference.
    public static string ReadSymbolName(TextCursor cursor)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        while (!cursor.AtEnd && (char.IsAsciiLetterOrDigit(cursor.Current) || cursor.Current is '_' or '.'))
        {
            cursor.Position++;
        }
        return cursor.Position > start ? cursor.Text[start..cursor.Position] : throw cursor.Error("expected a dimension");
    }

    private static Layout? ReadLayout(TextCursor cursor, int rank)
    {
        if (cursor.Current != '{')
        {
            return null;
        }
        int start = cursor.Position;
        var order = Axes.From(ReadList(cursor, () => (int)Math.Clamp(cursor.Integer(), -1, int.MaxValue), '{', '}'));
        return order.IsPermutationOf(rank)
            ? new Layout(order)
            : throw cursor.ErrorAt(start, $"the layout {{{string.Join(",", order)}}} is not an order of {rank} dimensions");
    }
}
