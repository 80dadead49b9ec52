namespace Graphene.Codegen;

/// <summary>Reads Kernel IR text: the exact inverse of <see cref="KernelPrinter"/>.</summary>
/// <remarks>
/// The text may come from anywhere: whatever it holds, the outcome is a kernel that <see cref="KernelVerifier"/> accepts, or
/// a <see cref="GraphException"/> with line and column. Lines that begin with // are comments.
/// </remarks>
public static class KernelParser
{
    /// <summary>Reads a kernel.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its name in messages.</param>
    /// <exception cref="GraphException">The text is not a kernel.</exception>
    public static Kernel Parse(string text, string file = "text")
    {
        var cursor = new TextCursor(text, file);
        var scope = new KernelScope();
        cursor.SkipToStatement();
        Expect(cursor, "kernel");
        string name = cursor.Quoted();
        int costs = cursor.Position;
        SkipLine(cursor);
        DimSymbol[] sizes = ReadSymbols(cursor, scope);

        // The cost may use symbols, which are declared after it.
        int next = cursor.Position;
        cursor.Position = costs;
        var cost = new KernelCost(ReadCost(cursor, scope, "flops"), ReadCost(cursor, scope, "bytes"));
        cursor.ExpectLineEnd();
        cursor.Position = next;

        List<KBuffer> arguments = ReadArguments(cursor, scope);
        var expressions = new KernelExpressionParser(cursor, scope);
        List<KTensorMap> maps = ReadMaps(cursor, scope, expressions);
        Expect(cursor, "task");
        int at = cursor.Position;
        var task = new KVariable(KernelScope.ReadName(cursor), KType.Index);
        Expect(cursor, "of");
        KExpr count = expressions.Read(KType.Index);
        cursor.ExpectLineEnd();
        scope.Declare(cursor, at, task.Name, task);
        KThreads? threads = ReadThreads(cursor, scope, out int members);
        KBlock body = new KernelStatementParser(cursor, scope, expressions).Block();
        cursor.SkipToStatement();
        return cursor.AtEnd
            ? new Kernel(name, arguments, task, count, body, cost) { Sizes = sizes, Maps = maps, Threads = threads, Members = members }
            : throw cursor.Error("expected the end of the text after the kernel's body");
    }

    private static KThreads? ReadThreads(TextCursor cursor, KernelScope scope, out int members)
    {
        members = 1;
        cursor.SkipToStatement();
        if (!cursor.TryTakeWord("threads"))
        {
            return null;
        }
        int at = cursor.Position;
        var thread = new KVariable(KernelScope.ReadName(cursor), KType.Index);
        Expect(cursor, "of");
        int count = KernelScope.ReadCount(cursor);
        var threads = new KThreads(thread, count)
        {
            TasksPerMultiprocessor = cursor.TryTakeWord("tasks") ? KernelScope.ReadCount(cursor) : 0,
        };
        members = cursor.TryTakeWord("members") ? KernelScope.ReadCount(cursor) : 1;
        cursor.ExpectLineEnd();
        scope.Declare(cursor, at, thread.Name, thread);
        scope.Threads = count;
        return ThreadRules.Problem(threads) is { } problem ? throw cursor.ErrorAt(at, problem) : threads;
    }

    // Gives those that the caller passes, in the order in which it does.
    private static DimSymbol[] ReadSymbols(TextCursor cursor, KernelScope scope)
    {
        var sizes = new SortedDictionary<long, DimSymbol>();
        cursor.SkipToStatement();
        while (cursor.TryTakeWord("symbol"))
        {
            cursor.SkipBlanks();
            int start = cursor.Position;
            string name = KernelScope.ReadSymbolName(cursor);
            Expect(cursor, "in");
            long min = cursor.Integer();
            cursor.Expect('.');
            cursor.Expect('.');
            long max = cursor.Integer();
            if (min < 0 || max < min || !scope.Symbols.TryAdd(name, new DimSymbol(name, min, max)))
            {
                throw cursor.ErrorAt(start, $"the symbol '{name}' is declared twice, or its bounds do not ascend from 0");
            }
            if (cursor.TryTakeWord("size") && !sizes.TryAdd(cursor.Integer(), scope.Symbols[name]))
            {
                throw cursor.ErrorAt(start, $"the symbol '{name}' is passed in the place of another one");
            }
            cursor.ExpectLineEnd();
            cursor.SkipToStatement();
        }
        return sizes.Keys.SequenceEqual(Enumerable.Range(0, sizes.Count).Select(i => (long)i))
            ? [.. sizes.Values]
            : throw cursor.Error("sizes are numbered from 0");
    }

    private static Dim ReadCost(TextCursor cursor, KernelScope scope, string word)
    {
        Expect(cursor, word);
        cursor.Expect('=');
        return TypeText.ReadDim(cursor, scope.Symbols);
    }

    private static List<KBuffer> ReadArguments(TextCursor cursor, KernelScope scope)
    {
        var arguments = new List<KBuffer>();
        while (cursor.TryTakeWord("argument"))
        {
            cursor.SkipBlanks();
            int start = cursor.Position;
            if (cursor.Integer() != arguments.Count)
            {
                throw cursor.ErrorAt(start, $"expected argument {arguments.Count}");
            }
            int at = cursor.Position;
            string name = KernelScope.ReadName(cursor);
            cursor.Expect(':');
            DType type = TypeText.ReadDType(cursor);
            KBuffer buffer = KBuffer.ForArgument(name, type, arguments.Count, cursor.TryTakeWord("readonly"));
            cursor.ExpectLineEnd();
            scope.Declare(cursor, at, name, buffer);
            arguments.Add(buffer);
            cursor.SkipToStatement();
        }
        return arguments;
    }

    private static List<KTensorMap> ReadMaps(TextCursor cursor, KernelScope scope, KernelExpressionParser expressions)
    {
        var maps = new List<KTensorMap>();
        expressions.ReadShared();
        while (cursor.TryTakeWord("map"))
        {
            int at = cursor.Position;
            string name = KernelScope.ReadName(cursor);
            Expect(cursor, "of");
            cursor.SkipBlanks();
            int start = cursor.Position;
            KBuffer source = scope.Find<KBuffer>(cursor, start, KernelScope.ReadName(cursor), "buffer");
            cursor.Expect(':');
            Expect(cursor, "sizes");
            KExpr[] sizes = [.. List(cursor, expressions.Read)];
            Expect(cursor, "strides");
            KExpr[] strides = [.. List(cursor, expressions.Read)];
            Expect(cursor, "from");
            KExpr offset = expressions.Read();
            Expect(cursor, "box");
            int[] box = [.. List(cursor, () => KernelScope.ReadCount(cursor))];
            var map = new KTensorMap(name, source)
            {
                Sizes = sizes.ToValueList(),
                Strides = strides.ToValueList(),
                Offset = offset,
                Box = box.ToValueList(),
                IsSwizzled = cursor.TryTakeWord("swizzled"),
                RoundsToTensorFloat32 = cursor.TryTakeWord("rounded"),
            };
            cursor.ExpectLineEnd();
            if (BulkRules.Problem(map) is { } problem)
            {
                throw cursor.ErrorAt(at, problem);
            }
            scope.Declare(cursor, at, name, map);
            maps.Add(map);
            expressions.ReadShared();
        }
        return maps;
    }

    private static List<T> List<T>(TextCursor cursor, Func<T> read)
    {
        var items = new List<T>();
        cursor.Expect('[');
        if (!cursor.TryTake(']'))
        {
            do
            {
                items.Add(read());
            }
            while (cursor.TryTake(','));
            cursor.Expect(']');
        }
        return items;
    }

    private static void SkipLine(TextCursor cursor)
    {
        while (!cursor.AtLineEnd)
        {
            cursor.Position++;
        }
    }

    private static void Expect(TextCursor cursor, string word)
    {
        if (!cursor.TryTakeWord(word))
        {
            throw cursor.Error($"expected '{word}'");
        }
    }
}
