using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>What a print shows besides the IR itself.</summary>
public sealed record PrintOptions
{
    /// <summary>Leaves the contents of long constants out. For people: such text cannot be read back.</summary>
    public bool ElideLongConstants { get; init; }

    /// <summary>Adds where each node comes from, as comments; null for none.</summary>
    public ProvenanceTable? Provenance { get; init; }
}

/// <summary>Writes IR as text. <see cref="Parser"/> reads it back to an equal module.</summary>
/// <remarks>
/// Canonical: equal computations give equal text. Values are numbered in post-order from effects and results, parameters are
/// <c>%p0</c>, <c>%p1</c>, ...; a nested computation stands above the one that uses it, once, however often it is used.
/// </remarks>
public static class Printer
{
    /// <summary>The text of a module.</summary>
    public static string Print(Module module, PrintOptions? options = null)
    {
        var printing = new ModulePrinting(options ?? new PrintOptions());
        string entry = printing.Body(module.Entry, "");
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"module {QuotedText.Quote(module.Name)}\n");
        text.Append(printing.SymbolLines());
        text.Append("inputs").AppendJoin(',', module.InputNames.Select(n => " " + QuotedText.Quote(n))).Append('\n');
        text.Append("outputs").AppendJoin(',', module.OutputNames.Select(n => " " + QuotedText.Quote(n))).Append('\n');
        return text.Append('\n').Append(printing.Computations).Append(entry).ToString();
    }

    /// <summary>The text of a computation with the symbols and nested computations it uses.</summary>
    public static string Print(Computation computation, PrintOptions? options = null)
    {
        var printing = new ModulePrinting(options ?? new PrintOptions());
        string body = printing.Body(computation, "");
        return printing.SymbolLines() + printing.Computations + body;
    }

    /// <summary>The canonical text of a computation, with digests of those it carries, for structural equality.</summary>
    internal static string PrintStructure(Computation computation)
    {
        var text = new StringBuilder();
        var names = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            string name = names.Count.ToString(CultureInfo.InvariantCulture);
            names.Add(node, name);
            text.Append('%').Append(name).Append('=').AppendJoin(';', node.Types).Append(' ').Append(node.Op.Name).Append('(');
            text.AppendJoin(',', node.Operands.Select(o => names[o])).Append(')');
            node.Op.Write(new AttributeWriter(text, c => $"{{{c.StructuralDigest}}}", LiteralText.Digest));
            text.Append('\n');
        }
        text.Append("effects ").AppendJoin(',', computation.Effects.Select(n => names[n]));
        text.Append(" return ").AppendJoin(',', computation.Results.Select(n => names[n]));
        return text.ToString();
    }

    private sealed class ModulePrinting(PrintOptions options)
    {
        private readonly Dictionary<Computation, string> _names = [];
        private readonly HashSet<string> _takenNames = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, DimSymbol> _symbols = new(StringComparer.Ordinal);

        public StringBuilder Computations { get; } = new();

        public string SymbolLines()
        {
            var text = new StringBuilder();
            foreach (DimSymbol symbol in _symbols.Values)
            {
                text.Append(CultureInfo.InvariantCulture, $"symbol {symbol} in {symbol.Min}..{symbol.Max}\n");
            }
            return text.Append(text.Length > 0 ? "\n" : "").ToString();
        }

        public string Body(Computation computation, string indentation)
        {
            var text = new StringBuilder();
            var names = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
            int next = 0;
            foreach (Node node in computation.PostOrder())
            {
                string name = node.Op is ParameterOp parameter
                    ? $"%p{parameter.Number.ToString(CultureInfo.InvariantCulture)}"
                    : $"%{(next++).ToString(CultureInfo.InvariantCulture)}";
                names.Add(node, name);
                text.Append(indentation).Append(name).Append(" = ");
                Statement(text, node, names);
                text.Append('\n');
            }
            if (!computation.Effects.IsEmpty)
            {
                text.Append(indentation).Append("effects ").AppendJoin(", ", computation.Effects.Select(n => names[n])).Append('\n');
            }
            text.Append(indentation).Append("return");
            text.AppendJoin(',', computation.Results.Select(n => " " + names[n])).Append('\n');
            return text.ToString();
        }

        private void Statement(StringBuilder text, Node node, Dictionary<Node, string> names)
        {
            foreach (Dim dim in node.Types.SelectMany(type => type.Shape))
            {
                NoteSymbols(dim);
            }
            var attributes = new StringBuilder();
            var writer = new AttributeWriter(
                attributes, NameOf, options.ElideLongConstants ? LiteralText.Elide : LiteralText.Format)
            {
                InlineName = OpTable.Find(node.Op.Name)?.InlineAttribute,
                OnDim = NoteSymbols,
            };
            node.Op.Write(writer);
            text.Append(node.Types.IsEmpty ? "()" : string.Join(", ", node.Types)).Append(' ').Append(node.Op.Name).Append('(');
            text.AppendJoin(", ", node.Operands.Select(o => names[o])).Append(writer.InlineText).Append(')').Append(attributes);
            if (options.Provenance?[node] is [var origin, ..])
            {
                text.Append("  // ").Append(origin.ToString().ReplaceLineEndings(" "));
            }
        }

        private void NoteSymbols(Dim dim)
        {
            foreach (DimSymbol symbol in dim.Symbols)
            {
                _symbols.TryAdd(symbol.Name, symbol);
            }
        }

        // The recursion is as deep as computations nest, which GraphBuilder.Build bounds.
        private string NameOf(Computation computation)
        {
            if (!_names.TryGetValue(computation, out string? name))
            {
                string body = Body(computation, "  ");
                name = UniqueName(computation.Name);
                _names.Add(computation, name);
                Computations.Append('@').Append(name).Append(" {\n").Append(body).Append("}\n\n");
            }
            return name;
        }

        private string UniqueName(string wanted)
        {
            string plain = new([.. wanted.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '_')]);
            string name = plain.Length == 0 ? "body" : plain;
            for (int i = 1; !_takenNames.Add(name); i++)
            {
                name = $"{plain}.{i.ToString(CultureInfo.InvariantCulture)}";
            }
            return name;
        }
    }
}
