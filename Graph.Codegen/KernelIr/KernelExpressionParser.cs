using System.Globalization;

namespace Graphene.Codegen;

/// <summary>Reads expressions, and the named ones before a statement.</summary>
internal sealed class KernelExpressionParser(TextCursor cursor, KernelScope scope)
{
    // The printer names what is nested deeper than this, and far less deep.
    private const int DeepestNesting = 64;

    private readonly List<KExpr> _shared = [];
    private int _depth;

    /// <summary>Reads the lines <c>%n = expression</c> before a statement; they are known until the next call.</summary>
    public void ReadShared()
    {
        _shared.Clear();
        cursor.SkipToStatement();
        while (cursor.TryTake('%'))
        {
            int start = cursor.Position;
            if (cursor.Integer() != _shared.Count)
            {
                throw cursor.ErrorAt(start, $"expected %{_shared.Count}: names count up from 0 before each statement");
            }
            cursor.Expect('=');
            _shared.Add(Read());
            cursor.ExpectLineEnd();
            cursor.SkipToStatement();
        }
    }

    /// <summary>Reads an expression of a type.</summary>
    public KExpr Read(KType type)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        KExpr e = Read();
        return e.Type == type ? e : throw cursor.ErrorAt(start, $"expected a value of type {type}, found {e.Type}");
    }

    /// <summary>Reads an expression.</summary>
    public KExpr Read()
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        if (++_depth > DeepestNesting)
        {
            throw cursor.Error($"an expression is nested more than {DeepestNesting} deep", fix: "name parts of it: %0 = ...");
        }
        KExpr e = cursor.Current switch
        {
            '%' => Shared(),
            '@' => Symbol(),
            '-' or (>= '0' and <= '9') => (KExpr)cursor.Integer(),
            _ => Named(),
        };
        _depth--;
        return (KernelRules.Problem(e) ?? ThreadRules.Problem(e, scope.HasThreads)) is { } problem
            ? throw cursor.ErrorAt(start, problem)
            : e;
    }

    private KExpr Shared()
    {
        int start = cursor.Position;
        cursor.Expect('%');
        long number = cursor.Integer();
        return number >= 0 && number < _shared.Count
            ? _shared[(int)number]
            : throw cursor.ErrorAt(start, $"%{number} is not defined before this statement", DiagnosticId.TextUnknownName);
    }

    private KSymbol Symbol()
    {
        cursor.Expect('@');
        int start = cursor.Position;
        string name = KernelScope.ReadSymbolName(cursor);
        return scope.Symbols.TryGetValue(name, out DimSymbol? symbol)
            ? new KSymbol(symbol)
            : throw cursor.ErrorAt(start, $"the symbol '{name}' is not declared", DiagnosticId.TextUnknownName);
    }

    private KExpr Named()
    {
        int start = cursor.Position;
        string name = KernelScope.ReadName(cursor);
        if (cursor.Current is '(' or '[')
        {
            return Function(start, name);
        }
        if (scope.TryFind(name) is { } known)
        {
            return known switch
            {
                KVariable variable => variable,
                KRegister register => new KRead(register),
                _ => throw cursor.ErrorAt(start, $"'{name}' is a buffer", fix: $"load an element: load[1]({name}, 0)"),
            };
        }
        if (!KType.TryParse(name, out KType type))
        {
            throw cursor.ErrorAt(start, $"there is no '{name}' here", DiagnosticId.TextUnknownName);
        }
        return type.Element.IsComplex() || type.Lanes > KernelRules.MostLanes
            ? throw cursor.ErrorAt(start, $"there are no constants of type {type}")
            : new KConstant(LiteralText.ReadScalar(cursor, type.Element), type.Lanes);
    }

    private KExpr Function(int start, string name)
    {
        List<string> options = cursor.Current == '[' ? TypeText.ReadList(cursor, () => cursor.Word("an option")) : [];
        cursor.Expect('(');
        KBuffer? buffer = name is "load" or "gather" ? Buffer() : null;
        List<KExpr?> x = Operands(buffer is not null);
        KExpr[] all = [.. x.OfType<KExpr>()];
        bool isWhole = all.Length == x.Count;
        return (name, options, x) switch
        {
            ("load", [var lanes], [{ } index, ..]) when x.Count <= 3 =>
                new KLoad(buffer!, index, Integer(start, lanes), x.ElementAtOrDefault(1), x.ElementAtOrDefault(2)),
            ("load", [var lanes, var alignment], [{ } index, ..]) when x.Count <= 3 => new KLoad(
                buffer!, index, Integer(start, lanes), x.ElementAtOrDefault(1), x.ElementAtOrDefault(2), Integer(start, alignment)),
            ("gather", [], [{ } indices, ..]) when x.Count <= 3 =>
                new KGather(buffer!, indices, x.ElementAtOrDefault(1), x.ElementAtOrDefault(2)),
            ("select", [], [{ } c, { } a, { } b]) => new KSelect(c, a, b),
            ("select_rarely", [], [{ } c, { } a, { } b]) => new KSelect(c, a, b, IsRare: true),
            ("scale", [], [{ } value, { } exponent, { } product]) => new KScale(value, exponent, product),
            ("lookup", [], [{ } index, .. var entries]) when entries.All(c => c is KConstant { Lanes: 1 }) =>
                new KLookup(entries.Select(c => ((KConstant)c!).Value).ToValueList(), index),
            ("convert", [var to], [{ } value]) => new KConvert(value, Element(start, to)),
            ("bitcast", [var to], [{ } value]) => new KBitcast(value, Element(start, to)),
            ("broadcast", [var lanes], [{ } value]) => new KBroadcast(value, Integer(start, lanes)),
            ("ramp", [var lanes], [{ } first, { } stride]) => new KRamp(first, stride, Integer(start, lanes)),
            ("shuffle", _, [{ } value]) => new KShuffle(value, options.Select(o => Integer(start, o)).ToValueList()),
            ("join", [], [{ } low, { } high]) => new KJoin(low, high),
            ("any", [], [{ } flags]) => new KAny(flags),
            ("dot", [], [{ } sum, { } left, { } right]) => new KDot(sum, left, right),
            (_, [], _) when isWhole && KernelExpressionText.TryFindOp(name, out ScalarOp op) => Call(start, op, all),
            _ => throw cursor.ErrorAt(start, $"'{name}' with {options.Count} options and {x.Count} operands is no expression"),
        };
    }

    private KCall Call(int start, ScalarOp op, KExpr[] arguments) => arguments.Length == KernelRules.Arity(op)
        ? new KCall(op, arguments.ToValueList())
        : throw cursor.ErrorAt(start, $"{op} takes {KernelRules.Arity(op)} arguments, not {arguments.Length}");

    private KBuffer Buffer()
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        return scope.Find<KBuffer>(cursor, start, KernelScope.ReadName(cursor), "buffer");
    }

    // Operands up to the closing parenthesis; null where one is left out.
    private List<KExpr?> Operands(bool followBuffer)
    {
        var operands = new List<KExpr?>();
        while (!cursor.TryTake(')'))
        {
            if (operands.Count > 0 || followBuffer)
            {
                cursor.Expect(',');
            }
            operands.Add(cursor.TryTakeWord(KernelExpressionText.Missing) ? null : Read());
        }
        return operands;
    }

    private DType Element(int start, string name) => DTypeFacts.TryParse(name, out DType type)
        ? type
        : throw cursor.ErrorAt(start, $"'{name}' is not an element type");

    private int Integer(int start, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw cursor.ErrorAt(start, $"'{text}' is not a number of lanes");
}
