using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>Collects an op's attributes as text: <c>, name=value</c>.</summary>
/// <param name="text">Where the text goes.</param>
/// <param name="computationName">Gives the printed name of a nested computation.</param>
/// <param name="formatLiteral">Writes a tensor; by default all of its elements.</param>
public sealed class AttributeWriter(
    StringBuilder text, Func<Computation, string> computationName, Func<Literal, string>? formatLiteral = null)
{
    /// <summary>The attribute that goes into the operands' parentheses instead.</summary>
    internal string? InlineName { get; init; }

    /// <summary>That attribute's value.</summary>
    internal string InlineText { get; private set; } = "";

    /// <summary>Sees every dim that is written.</summary>
    internal Action<Dim>? OnDim { get; init; }

    /// <summary>Writes a list of axes.</summary>
    public void Add(string name, Axes value) => Raw(name, value.ToString());

    /// <summary>Writes a number.</summary>
    public void Add(string name, long value) => Raw(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes a dim.</summary>
    public void Add(string name, Dim value)
    {
        OnDim?.Invoke(value);
        Raw(name, value.ToString());
    }

    /// <summary>Writes a truth value.</summary>
    public void Add(string name, bool value) => Raw(name, value ? "true" : "false");

    /// <summary>Writes an identifier or keyword.</summary>
    public void AddWord(string name, string value) => Raw(name, value);

    /// <summary>Writes a quoted string.</summary>
    public void AddText(string name, string value) => Raw(name, QuotedText.Quote(value));

    /// <summary>Writes a list of numbers.</summary>
    public void Add(string name, ValueList<long> value) => Raw(name, value.ToString());

    /// <summary>Writes a list of dims.</summary>
    public void Add(string name, ValueList<Dim> value)
    {
        Note(value);
        Raw(name, value.ToString());
    }

    /// <summary>Writes a type.</summary>
    public void Add(string name, TensorType value)
    {
        Note(value.Shape);
        Raw(name, value.ToString());
    }

    /// <summary>Writes an element type.</summary>
    public void Add(string name, DType value) => Raw(name, value.Name());

    /// <summary>Writes one element.</summary>
    public void Add(string name, Scalar value) => Raw(name, value.ToString());

    /// <summary>Writes a tensor: its elements, or for a splat the repeated one.</summary>
    public void Add(string name, Literal value) => Raw(name, (formatLiteral ?? LiteralText.Format)(value));

    /// <summary>Writes a reference to a nested computation.</summary>
    public void Add(string name, Computation value) => Raw(name, "@" + computationName(value));

    /// <summary>Writes references to nested computations.</summary>
    public void Add(string name, ImmutableArray<Computation> value) =>
        Raw(name, $"[{string.Join(",", value.Select(c => "@" + computationName(c)))}]");

    private void Note(IEnumerable<Dim> dims)
    {
        foreach (Dim dim in dims)
        {
            OnDim?.Invoke(dim);
        }
    }

    private void Raw(string name, string value)
    {
        if (name == InlineName)
        {
            InlineText = value;
        }
        else
        {
            text.Append(", ").Append(name).Append('=').Append(value);
        }
    }
}
