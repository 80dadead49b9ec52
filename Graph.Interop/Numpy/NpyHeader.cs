using System.Globalization;
using System.Text;

namespace Graphene.Interop.Numpy;

/// <summary>What the header of a <c>.npy</c> file says: a Python dictionary of three entries.</summary>
/// <param name="Descr">The element type in NumPy's words, for example <c>&lt;f4</c>.</param>
/// <param name="FortranOrder">True when the first axis varies fastest.</param>
/// <param name="Shape">The extents, none negative.</param>
/// <remarks>Source: NumPy Enhancement Proposal 1 and <c>numpy.lib.format</c>.</remarks>
internal sealed record NpyHeader(string Descr, bool FortranOrder, IReadOnlyList<long> Shape)
{
    /// <summary>Reads <c>{'descr': '&lt;f4', 'fortran_order': False, 'shape': (2, 3), }</c>, entries in any order.</summary>
    /// <returns>Null, and the problem, when the text is anything else.</returns>
    public static NpyHeader? TryParse(string text, out string problem)
    {
        var reader = new Reader(text);
        string? descr = null;
        bool? fortran = null;
        List<long>? shape = null;
        problem = "";

        if (!reader.Take('{'))
        {
            problem = "the header is not a dictionary";
            return null;
        }
        while (!reader.Take('}'))
        {
            string? key = reader.TakeString();
            if (key is null || !reader.Take(':'))
            {
                problem = "the header is not a dictionary of names";
                return null;
            }
            bool read = key switch
            {
                "descr" => (descr = reader.TakeString()) is not null,
                "fortran_order" => (fortran = reader.TakeBool()) is not null,
                "shape" => (shape = reader.TakeTuple()) is not null,
                _ => false,
            };
            if (!read)
            {
                problem = key == "descr" ? "records are not supported: descr must be one type" : $"the entry {key} is not valid";
                return null;
            }
            if (!reader.Take(',') && !reader.Peek('}'))
            {
                problem = "the header's entries are not separated by commas";
                return null;
            }
        }
        if (descr is null || fortran is null || shape is null)
        {
            problem = "the header lacks descr, fortran_order or shape";
            return null;
        }
        return new NpyHeader(descr, fortran.Value, shape);
    }

    /// <summary>The header as NumPy writes it.</summary>
    public string ToText()
    {
        var text = new StringBuilder($"{{'descr': '{Descr}', 'fortran_order': {(FortranOrder ? "True" : "False")}, 'shape': (");
        text.AppendJoin(", ", Shape.Select(d => d.ToString(CultureInfo.InvariantCulture)));
        return text.Append(Shape.Count == 1 ? ",), }" : "), }").ToString();
    }

    private sealed class Reader(string text)
    {
        private int _at;

        public bool Peek(char expected)
        {
            while (_at < text.Length && text[_at] is ' ' or '\n' or '\t' or '\r')
            {
                _at++;
            }
            return _at < text.Length && text[_at] == expected;
        }

        public bool Take(char expected)
        {
            bool found = Peek(expected);
            _at += found ? 1 : 0;
            return found;
        }

        public string? TakeString()
        {
            char quote = Peek('"') ? '"' : '\'';
            if (!Take(quote))
            {
                return null;
            }
            int end = text.IndexOf(quote, _at);
            if (end < 0)
            {
                return null;
            }
            string result = text[_at..end];
            _at = end + 1;
            return result;
        }

        public bool? TakeBool() => TakeWord("True") ? true : TakeWord("False") ? false : null;

        public List<long>? TakeTuple()
        {
            var items = new List<long>();
            if (!Take('('))
            {
                return null;
            }
            while (!Take(')'))
            {
                Peek(' ');
                int start = _at;
                while (_at < text.Length && char.IsAsciiDigit(text[_at]))
                {
                    _at++;
                }
                if (!long.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long item))
                {
                    return null;
                }
                items.Add(item);
                if (!Take(',') && !Peek(')'))
                {
                    return null;
                }
            }
            return items;
        }

        private bool TakeWord(string word)
        {
            bool found = Peek(word[0]) && string.CompareOrdinal(text, _at, word, 0, word.Length) == 0;
            _at += found ? word.Length : 0;
            return found;
        }
    }
}
