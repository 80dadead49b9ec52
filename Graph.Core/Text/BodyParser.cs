using System.Collections.Immutable;

namespace Graphene;

/// <summary>Reads the statements of one computation.</summary>
internal sealed class BodyParser
{
    private readonly TextCursor _cursor;
    private readonly TextScope _scope;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly List<Node> _effects = [];

    private BodyParser(TextCursor cursor, TextScope scope)
    {
        _cursor = cursor;
        _scope = scope;
        _builder = new GraphBuilder(scope.Provenance);
    }

    /// <summary>Reads up to and including the line that begins with <c>return</c>.</summary>
    public static Computation Read(TextCursor cursor, TextScope scope, string name) => new BodyParser(cursor, scope).Read(name);

    private Computation Read(string name)
    {
        while (true)
        {
            _cursor.SkipToStatement();
            int start = _cursor.Position;
            if (_cursor.TryTakeWord("return"))
            {
                return Close(name, ReadNodes(), start);
            }
            if (_cursor.TryTakeWord("effects"))
            {
                _effects.AddRange(ReadNodes());
            }
            else if (_cursor.TryTake('%'))
            {
                ReadStatement(start);
            }
            else
            {
                throw _cursor.Error("expected a statement (%name = ...), effects or return");
            }
            _cursor.ExpectLineEnd();
        }
    }

    private Computation Close(string name, List<Node> results, int position)
    {
        _cursor.ExpectLineEnd();
        foreach (Node result in results)
        {
            if (result.Types.Length != 1)
            {
                throw _cursor.ErrorAt(
                    position, $"{result.Op.Name} has {result.Types.Length} results and cannot be returned as one value",
                    fix: "take its results apart with get_tuple_element");
            }
        }
        try
        {
            return _builder.Build(name, results, _effects);
        }
        catch (InvalidOperationException e)
        {
            throw _cursor.ErrorAt(position, e.Message);
        }
    }

    private void ReadStatement(int start)
    {
        string name = _cursor.Word("a name");
        _cursor.Expect('=');
        ImmutableArray<TensorType> types = ReadResultTypes();
        _cursor.SkipBlanks();
        int opPosition = _cursor.Position;
        string opName = _cursor.Word("the name of an op");
        OpEntry entry = OpTable.Find(opName) ?? throw _cursor.ErrorAt(
            opPosition, $"there is no op '{opName}'", DiagnosticId.TextUnknownName, fix: "docs/ops lists all ops");
        var values = new Dictionary<string, (int Start, int End)>(StringComparer.Ordinal);
        List<Node> operands = ReadOperands(entry, values);
        ReadAttributes(values);
        int end = _cursor.Position;

        var reader = new AttributeReader(_cursor, opPosition, _scope, types, values);
        Op op = entry.Parse(reader);
        reader.RequireNothingLeft();
        Node node = Build(op, operands, start);
        if (!node.Types.SequenceEqual(types))
        {
            throw _cursor.ErrorAt(
                start, $"{opName} gives {Describe(node.Types)}, not {Describe(types)}", DiagnosticId.TextTypeMismatch,
                why: "the type in front of the op must be the one that follows from operands and attributes");
        }
        if (!_nodes.TryAdd(name, node))
        {
            throw _cursor.ErrorAt(start, $"%{name} is defined twice", DiagnosticId.TextDuplicateName);
        }
        _cursor.Position = end;
    }

    private Node Build(Op op, List<Node> operands, int position)
    {
        _builder.CurrentOrigin = new Provenance(File: _cursor.File, Line: _cursor.LineAt(position));
        try
        {
            return op is ParameterOp parameter
                ? _builder.Parameter(parameter.Number, parameter.Type)
                : _builder.Add(op, operands.ToImmutableArray());
        }
        catch (InvalidOperationException e)
        {
            throw _cursor.ErrorAt(position, e.Message);
        }
    }

    // () for none, else types separated by commas.
    private ImmutableArray<TensorType> ReadResultTypes()
    {
        if (_cursor.TryTake('('))
        {
            _cursor.Expect(')');
            return [];
        }
        var types = ImmutableArray.CreateBuilder<TensorType>();
        do
        {
            types.Add(TypeText.ReadType(_cursor, _scope.Symbols));
        }
        while (_cursor.TryTake(','));
        return types.ToImmutable();
    }

    // (%a, %b), or the op's inline attribute as in parameter(0).
    private List<Node> ReadOperands(OpEntry entry, Dictionary<string, (int Start, int End)> values)
    {
        if (entry.InlineAttribute is null)
        {
            return TypeText.ReadList(_cursor, ReadNode, '(', ')');
        }
        _cursor.Expect('(');
        values.Add(entry.InlineAttribute, SkipValue());
        _cursor.Expect(')');
        return [];
    }

    private void ReadAttributes(Dictionary<string, (int Start, int End)> values)
    {
        while (_cursor.TryTake(','))
        {
            _cursor.SkipBlanks();
            int start = _cursor.Position;
            string name = _cursor.Word("the name of an attribute");
            _cursor.Expect('=');
            if (!values.TryAdd(name, SkipValue()))
            {
                throw _cursor.ErrorAt(start, $"the attribute '{name}' is given twice", DiagnosticId.TextBadAttribute);
            }
        }
    }

    // A value ends at a comma or closing bracket outside of brackets and quotes, at a comment, or with the line.
    private (int Start, int End) SkipValue()
    {
        _cursor.SkipBlanks();
        int start = _cursor.Position;
        int depth = 0;
        while (!_cursor.AtLineEnd && !_cursor.AtComment)
        {
            char c = _cursor.Current;
            if (c == '"')
            {
                _cursor.Quoted();
                continue;
            }
            if (depth == 0 && (c == ',' || c == ')'))
            {
                break;
            }
            depth += c is '[' or '(' or '{' ? 1 : c is ']' or ')' or '}' ? -1 : 0;
            _cursor.Position++;
        }
        int end = _cursor.Position;
        while (end > start && _cursor.Text[end - 1] == ' ')
        {
            end--;
        }
        return (start, end);
    }

    private List<Node> ReadNodes()
    {
        var nodes = new List<Node>();
        _cursor.SkipBlanks();
        while (!_cursor.AtLineEnd && !_cursor.AtComment)
        {
            if (nodes.Count > 0)
            {
                _cursor.Expect(',');
            }
            nodes.Add(ReadNode());
            _cursor.SkipBlanks();
        }
        return nodes;
    }

    private Node ReadNode()
    {
        _cursor.Expect('%');
        int start = _cursor.Position;
        string name = _cursor.Word("a name");
        return _nodes.TryGetValue(name, out Node? node)
            ? node
            : throw _cursor.ErrorAt(
                start, $"%{name} is not defined", DiagnosticId.TextUnknownName,
                why: "a value must be defined above its use, in the same computation");
    }

    private static string Describe(ImmutableArray<TensorType> types) => types.IsEmpty ? "()" : string.Join(", ", types);
}
