using System.Globalization;
using System.Text;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>Reads the text of a symbolic dimension: a name, or an expression such as <c>past_sequence_length + 1</c>.</summary>
/// <remarks>
/// Exporters write anything here. What is not an expression over names and integers becomes one symbol, whose name is the text
/// with unusual characters replaced; the same text gives the same symbol.
/// <code>
///   sum     = product { ("+" | "-") product }
///   product = atom { ("*" | "/" | "//") atom }     quotients round down
///   atom    = integer | name | "(" sum ")" | ("floor" | "ceil") "(" sum ")" | ("min" | "max") "(" sum "," sum ")"
/// </code>
/// </remarks>
internal sealed class DimExpressionParser
{
    private const int MaxLength = 256;
    private const int MaxDepth = 16;

    private readonly string _text;
    private readonly Func<string, Dim> _symbol;
    private int _at;
    private int _depth;

    private DimExpressionParser(string text, Func<string, Dim> symbol)
    {
        _text = text;
        _symbol = symbol;
    }

    /// <summary>Reads a dimension's text.</summary>
    /// <param name="text">The dim_param of a file, not empty.</param>
    /// <param name="symbol">Gives the dim of a name.</param>
    public static Dim Parse(string text, Func<string, Dim> symbol)
    {
        if (text.Length <= MaxLength)
        {
            var names = new List<string>();
            var parser = new DimExpressionParser(text, name =>
            {
                names.Add(name);
                return symbol(name);
            });
            if (parser.TryParseWhole(out Dim dim) && names.Count > 0)
            {
                return dim;
            }
        }
        return symbol(Identifier(text));
    }

    /// <summary>The text with everything but letters, digits and underscores replaced.</summary>
    public static string Identifier(string text)
    {
        var name = new StringBuilder();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            name.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }
        return name.Length == 0 || char.IsAsciiDigit(name[0]) ? "_" + name : name.ToString();
    }

    private bool TryParseWhole(out Dim dim)
    {
        try
        {
            return TrySum(out dim) && Peek() == '\0';
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            dim = 0;
            return false;
        }
    }

    private bool TrySum(out Dim sum)
    {
        if (++_depth > MaxDepth || !TryProduct(out sum))
        {
            sum = 0;
            return false;
        }
        while (Peek() is '+' or '-')
        {
            char sign = _text[_at++];
            if (!TryProduct(out Dim next))
            {
                return false;
            }
            sum = sign == '+' ? sum + next : sum - next;
        }
        _depth--;
        return true;
    }

    private bool TryProduct(out Dim product)
    {
        if (!TryAtom(out product))
        {
            return false;
        }
        while (Peek() is '*' or '/')
        {
            char sign = _text[_at++];
            if (sign == '/' && Peek() == '/')
            {
                _at++;
            }
            if (!TryAtom(out Dim next))
            {
                return false;
            }
            product = sign == '*' ? product * next : Dim.FloorDiv(product, next);
        }
        return true;
    }

    private bool TryAtom(out Dim atom)
    {
        atom = 0;
        char first = Peek();
        if (first == '(')
        {
            _at++;
            return TrySum(out atom) && Take(')');
        }
        if (char.IsAsciiDigit(first))
        {
            int start = _at;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
            {
                _at++;
            }
            bool fits = long.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long n);
            atom = n;
            return fits;
        }
        if (!IsNameStart(first))
        {
            return false;
        }
        int begin = _at;
        while (_at < _text.Length && (IsNameStart(_text[_at]) || char.IsAsciiDigit(_text[_at]) || _text[_at] == '.'))
        {
            _at++;
        }
        string name = _text[begin.._at];
        if (Peek() == '(')
        {
            return TryCall(name, out atom);
        }
        atom = _symbol(Identifier(name));
        return true;
    }

    private bool TryCall(string function, out Dim result)
    {
        result = 0;
        _at++;
        if (!TrySum(out Dim first))
        {
            return false;
        }
        switch (function.ToUpperInvariant())
        {
            case "FLOOR" or "CEIL": // quotients inside round down already; ceil is only exact over whole numbers
                result = first;
                return (function[0] is 'f' or 'F' || !_text.Contains('/')) && Take(')');
            case "MIN" or "MAX":
                if (!Take(',') || !TrySum(out Dim second))
                {
                    return false;
                }
                result = function[1] is 'i' or 'I' ? Dim.Min(first, second) : Dim.Max(first, second);
                return Take(')');
            default:
                return false;
        }
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private char Peek()
    {
        while (_at < _text.Length && _text[_at] == ' ')
        {
            _at++;
        }
        return _at < _text.Length ? _text[_at] : '\0';
    }

    private bool Take(char expected)
    {
        bool found = Peek() == expected;
        _at += found ? 1 : 0;
        return found;
    }
}
