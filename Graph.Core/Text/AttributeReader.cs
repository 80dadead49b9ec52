using System.Collections.Immutable;

namespace Graphene;

/// <summary>Gives an op its attributes back from text. Each must be asked for once; what is left over is an error.</summary>
public sealed class AttributeReader
{
    private readonly TextCursor _cursor;
    private readonly int _opPosition;
    private readonly TextScope _scope;
    private readonly Dictionary<string, (int Start, int End)> _values;

    internal AttributeReader(
        TextCursor cursor, int opPosition, TextScope scope, ImmutableArray<TensorType> resultTypes,
        Dictionary<string, (int Start, int End)> values)
    {
        _cursor = cursor;
        _opPosition = opPosition;
        _scope = scope;
        _values = values;
        ResultTypes = resultTypes;
    }

    /// <summary>The types written in front of the op.</summary>
    public ImmutableArray<TensorType> ResultTypes { get; }

    /// <summary>The one type written in front of the op.</summary>
    public TensorType ResultType => ResultTypes is [var type]
        ? type
        : throw _cursor.ErrorAt(_opPosition, $"expected one result type, found {ResultTypes.Length}");

    /// <summary>True when an attribute is written and was not asked for yet.</summary>
    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>A list of axes.</summary>
    public Axes Axes(string name) => Graphene.Axes.From(List(name, Int32));

    /// <summary>A number.</summary>
    public long Long(string name) => Value(name, _cursor.Integer);

    /// <summary>A number of 32 bits.</summary>
    public int Int(string name) => Value(name, Int32);

    /// <summary>A dim.</summary>
    public Dim Dim(string name) => Value(name, () => TypeText.ReadDim(_cursor, _scope.Symbols));

    /// <summary>A truth value.</summary>
    public bool Bool(string name) => Value(name, () => _cursor.TryTakeWord("true") || (_cursor.TryTakeWord("false")
        ? false
        : throw _cursor.Error("expected true or false")));

    /// <summary>An identifier or keyword.</summary>
    public string Word(string name) => Value(name, () => _cursor.Word("a word"));

    /// <summary>A keyword: the name of an enumeration's member, in any case.</summary>
    public T Choice<T>(string name)
        where T : struct, Enum => Value(name, () =>
        {
            int start = _cursor.Position;
            string word = _cursor.Word("a word");
            return char.IsAsciiLetter(word[0]) && Enum.TryParse(word, ignoreCase: true, out T value)
                ? value
                : throw _cursor.ErrorAt(start, $"expected one of {string.Join(", ", Enum.GetNames<T>())}, found '{word}'");
        });

    /// <summary>A value in a form of its own, for example dimension numbers.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="parse">Reads the whole value; null when it does not have that form.</param>
    /// <param name="expected">The form, for the message.</param>
    public T Custom<T>(string name, Func<string, T?> parse, string expected)
        where T : class
    {
        (int start, int end) = _values.TryGetValue(name, out (int Start, int End) value) ? value : (0, 0);
        return Value(name, () =>
        {
            _cursor.Position = end;
            return parse(_cursor.Text[start..end]) ?? throw _cursor.ErrorAt(start, $"expected {expected}");
        });
    }

    /// <summary>A quoted string.</summary>
    public string Text(string name) => Value(name, _cursor.Quoted);

    /// <summary>A list of numbers.</summary>
    public ValueList<long> Longs(string name) => List(name, _cursor.Integer).ToValueList();

    /// <summary>A list of dims.</summary>
    public ValueList<Dim> Dims(string name) => List(name, () => TypeText.ReadDim(_cursor, _scope.Symbols)).ToValueList();

    /// <summary>A type.</summary>
    public TensorType Type(string name) => Value(name, () => TypeText.ReadType(_cursor, _scope.Symbols));

    /// <summary>An element type.</summary>
    public DType DType(string name) => Value(name, () => TypeText.ReadDType(_cursor));

    /// <summary>One element.</summary>
    public Scalar Scalar(string name, DType type) => Value(name, () => LiteralText.ReadScalar(_cursor, type));

    /// <summary>A tensor.</summary>
    public Literal Literal(string name, TensorType type) => Value(name, () => LiteralText.Read(_cursor, type));

    /// <summary>A nested computation.</summary>
    public Computation Computation(string name) => Value(name, ReadComputation);

    /// <summary>A list of nested computations.</summary>
    public ImmutableArray<Computation> Computations(string name) => [.. List(name, ReadComputation)];

    internal void RequireNothingLeft()
    {
        foreach ((string name, (int start, _)) in _values)
        {
            throw _cursor.ErrorAt(start, $"the op has no attribute '{name}'", DiagnosticId.TextBadAttribute);
        }
    }

    private Computation ReadComputation()
    {
        _cursor.Expect('@');
        int start = _cursor.Position;
        string name = _cursor.Word("the name of a computation");
        return _scope.Computations.TryGetValue(name, out Computation? computation)
            ? computation
            : throw _cursor.ErrorAt(
                start, $"there is no computation @{name}", DiagnosticId.TextUnknownName,
                why: "a computation must be written before the one that uses it");
    }

    private int Int32()
    {
        int start = _cursor.Position;
        long value = _cursor.Integer();
        return value == (int)value ? (int)value : throw _cursor.ErrorAt(start, $"{value} does not fit into 32 bits");
    }

    private List<T> List<T>(string name, Func<T> item) => Value(name, () => TypeText.ReadList(_cursor, item));

    private T Value<T>(string name, Func<T> read)
    {
        if (!_values.Remove(name, out (int Start, int End) value))
        {
            throw _cursor.ErrorAt(_opPosition, $"the attribute '{name}' is missing", DiagnosticId.TextBadAttribute);
        }
        _cursor.Position = value.Start;
        _cursor.SkipBlanks();
        T result = read();
        return _cursor.Position == value.End ? result : throw _cursor.Error($"unexpected text in the attribute '{name}'");
    }
}
