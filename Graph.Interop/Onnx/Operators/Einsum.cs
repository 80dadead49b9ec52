using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Einstein summation: a chain of contractions, each over the labels that nothing later needs.</summary>
/// <remarks>
/// <code>
///   "bij, bjk -> bik":  dot_general, batch b, contracting j
///   "ii -> i":          elements off the diagonal are masked out and one of the two dimensions summed away
/// </code>
/// </remarks>
internal static class Einsum
{
    private const char FirstEllipsisLabel = '\uE000';

    public static Node Import(OperatorCall c)
    {
        c.Value(0);
        Node[] operands = c.Inputs();
        (string[] inputs, string output) = Parse(c, c.Attributes.Text("equation") ?? "", operands);
        GraphBuilder b = c.B;
        Labelled result = Diagonal(b, new Labelled(operands[0], inputs[0]));
        for (int i = 1; i < operands.Length; i++)
        {
            string needed = output + string.Concat(inputs.Skip(i + 1));
            Labelled next = Diagonal(b, new Labelled(operands[i], inputs[i]));
            result = Contract(c, SumAway(b, result, needed + next.Labels), SumAway(b, next, needed + result.Labels), needed);
        }
        result = SumAway(b, result, output);
        foreach (char label in output.Where(label => !result.Labels.Contains(label)))
        {
            throw c.Bad($"Einsum gives the label '{label}'", "it occurs in no input");
        }
        return b.Transpose(result.Node, Axes.From(output.Select(label => result.Labels.IndexOf(label, StringComparison.Ordinal))));
    }

    private static (string[] Inputs, string Output) Parse(OperatorCall c, string equation, Node[] operands)
    {
        string[] sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != operands.Length)
        {
            throw c.Bad(
                $"Einsum has the equation '{GraphOrder.Shorten(equation)}'",
                $"it must have {operands.Length} terms and at most one arrow");
        }
        int widest = 0;
        for (int i = 0; i < terms.Length; i++)
        {
            int named = terms[i].Replace("...", "", StringComparison.Ordinal).Length;
            bool hasEllipsis = terms[i].Contains("...", StringComparison.Ordinal);
            if (hasEllipsis ? named > operands[i].Rank : named != operands[i].Rank)
            {
                throw c.Bad($"Einsum labels {operands[i].Type} as '{terms[i]}'", "each dimension needs one label");
            }
            widest = Math.Max(widest, hasEllipsis ? operands[i].Rank - named : 0);
        }
        string ellipsis = string.Concat(Enumerable.Range(0, widest).Select(i => (char)(FirstEllipsisLabel + i)));
        string[] inputs = [.. terms.Select((term, i) =>
        {
            int rank = operands[i].Rank - term.Replace("...", "", StringComparison.Ordinal).Length;
            return term.Replace("...", ellipsis[(widest - Math.Min(rank, widest))..], StringComparison.Ordinal);
        })];
        if (string.Concat(inputs).FirstOrDefault(label => !char.IsAsciiLetter(label) && label < FirstEllipsisLabel) is var odd && odd != 0)
        {
            throw c.Bad($"Einsum has the label '{odd}'", "labels are letters");
        }
        // Without an arrow: the labels that occur once, in order of the alphabet.
        string output = sides.Length == 2
            ? sides[1].Replace("...", ellipsis, StringComparison.Ordinal)
            : ellipsis + string.Concat(string.Concat(inputs).Where(char.IsAsciiLetter).GroupBy(l => l)
                .Where(g => g.Count() == 1).Select(g => g.Key).Order());
        return output.Distinct().Count() == output.Length ? (inputs, output) : throw c.Bad(
            $"Einsum gives '{GraphOrder.Shorten(sides[^1])}'", "each label may occur once in the result");
    }

    // A label that a term repeats: zero where the two indices differ, then sum one of them away.
    private static Labelled Diagonal(GraphBuilder b, Labelled x)
    {
        for (int i = 0; i < x.Labels.Length; i++)
        {
            int j = x.Labels.IndexOf(x.Labels[i], i + 1);
            while (j >= 0)
            {
                var index = new TensorType(DType.I64, x.Node.Shape);
                Node same = b.Compare(b.Iota(index, i), b.Iota(index, j), CompareDirection.EQ);
                Node kept = b.Select(same, x.Node, b.Like(x.Node, 0));
                x = new Labelled(b.ReduceSum(kept, [j]), x.Labels.Remove(j, 1));
                j = x.Labels.IndexOf(x.Labels[i], i + 1);
            }
        }
        return x;
    }

    private static Labelled SumAway(GraphBuilder b, Labelled x, string needed)
    {
        int[] axes = [.. Enumerable.Range(0, x.Labels.Length).Where(i => !needed.Contains(x.Labels[i]))];
        return axes.Length == 0 ? x : new Labelled(
            b.ReduceSum(x.Node, Axes.Create(axes)), string.Concat(x.Labels.Where(needed.Contains)));
    }

    private static Labelled Contract(OperatorCall c, Labelled x, Labelled y, string needed)
    {
        (x, y) = Align(c, x, y);
        string shared = string.Concat(x.Labels.Where(y.Labels.Contains));
        string batch = string.Concat(shared.Where(needed.Contains));
        string summed = string.Concat(shared.Where(label => !needed.Contains(label)));
        Node product = c.B.DotGeneral(x.Node, y.Node, Places(x, batch), Places(y, batch), Places(x, summed), Places(y, summed));
        string free = string.Concat(x.Labels.Where(l => !shared.Contains(l))) + string.Concat(y.Labels.Where(l => !shared.Contains(l)));
        return new Labelled(product, batch + free);
    }

    // A dimension of size 1 under a shared label broadcasts.
    private static (Labelled X, Labelled Y) Align(OperatorCall c, Labelled x, Labelled y)
    {
        Dim[] left = [.. x.Node.Shape];
        Dim[] right = [.. y.Node.Shape];
        foreach (char label in x.Labels.Where(y.Labels.Contains))
        {
            int i = x.Labels.IndexOf(label, StringComparison.Ordinal);
            int j = y.Labels.IndexOf(label, StringComparison.Ordinal);
            Dim joined = OnnxBroadcasting.Join(c, [left[i]], [right[j]])[0];
            left[i] = joined;
            right[j] = joined;
        }
        return (
            x with { Node = c.B.BroadcastTo(x.Node, Shape.Create(left)) },
            y with { Node = c.B.BroadcastTo(y.Node, Shape.Create(right)) });
    }

    private static Axes Places(Labelled x, string labels) =>
        Axes.From(labels.Select(label => x.Labels.IndexOf(label, StringComparison.Ordinal)));

    private sealed record Labelled(Node Node, string Labels);
}
