namespace Graphene;

/// <summary>Einstein summation: products of tensors summed over the indices that the result does not name.</summary>
/// <remarks>
/// Operands are contracted from left to right, each pair by one <c>dot_general</c>; an index that only one operand has and the
/// result does not is summed first. Dimensions under an ellipsis broadcast as in NumPy.
/// </remarks>
public static class EinsumComposite
{
    // Ellipsis dimensions get these labels, counted from the last one.
    private const char FirstEllipsisLabel = '\u2460';

    /// <summary>Evaluates an equation such as <c>bij,bjk->bik</c>, <c>...ij->...ji</c> or <c>ii</c>.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="equation">One group of letters per operand; without <c>-&gt;</c> the result has the letters that occur once.</param>
    /// <param name="operands">Numeric tensors of one dtype.</param>
    public static Node Einsum(this GraphBuilder b, string equation, params ReadOnlySpan<Node> operands)
    {
        OpSite site = b.Site("einsum", operands);
        string[] sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] groups = sides[0].Split(',');
        site.Require(
            sides.Length <= 2 && groups.Length == operands.Length, DiagnosticId.BadEquation,
            $"'{equation}' has {groups.Length} groups for {operands.Length} operands");
        var terms = new Term[groups.Length];
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = new Term(operands[i], Expand(site, equation, groups[i], operands[i].Rank));
        }
        string result = sides.Length == 2 ? ExpandResult(site, equation, sides[1], terms) : Implicit(terms);
        site.Require(
            result.Distinct().Count() == result.Length && result.All(c => terms.Any(t => t.Labels.Contains(c))),
            DiagnosticId.BadEquation, $"the result of '{equation}' names an index twice, or one that no operand has");

        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = Diagonal(b, terms[i]);
        }
        Term total = terms[0];
        for (int i = 1; i < terms.Length; i++)
        {
            string later = result + string.Concat(terms.Skip(i + 1).Select(t => t.Labels));
            total = Contract(b, site, total, terms[i], later);
        }
        total = SumOut(b, total, result);
        return b.Transpose(total.Value, Axes.From(result.Select(c => total.Labels.IndexOf(c, StringComparison.Ordinal))));
    }

    private static string Expand(OpSite site, string equation, string group, int rank)
    {
        int dots = group.IndexOf("...", StringComparison.Ordinal);
        string letters = dots < 0 ? group : group.Remove(dots, 3);
        site.Require(
            letters.All(char.IsAsciiLetter), DiagnosticId.BadEquation, $"'{equation}' has something else than letters in '{group}'");
        site.Require(
            dots < 0 ? letters.Length == rank : letters.Length <= rank, DiagnosticId.BadEquation,
            $"'{group}' in '{equation}' does not name the {rank} dimensions of its operand");
        return dots < 0 ? group : letters.Insert(dots, Ellipsis(rank - letters.Length));
    }

    private static string ExpandResult(OpSite site, string equation, string group, Term[] terms)
    {
        int dots = group.IndexOf("...", StringComparison.Ordinal);
        string letters = dots < 0 ? group : group.Remove(dots, 3);
        site.Require(
            letters.All(char.IsAsciiLetter), DiagnosticId.BadEquation, $"'{equation}' has something else than letters in '{group}'");
        return dots < 0 ? group : letters.Insert(dots, Ellipsis(terms.Max(EllipsisRank)));
    }

    // The ellipsis first, then what occurs once, in alphabetical order.
    private static string Implicit(Term[] terms)
    {
        string all = string.Concat(terms.Select(t => t.Labels));
        IEnumerable<char> once = all.Where(c => char.IsAsciiLetter(c) && all.Count(o => o == c) == 1).Order();
        return Ellipsis(terms.Max(EllipsisRank)) + string.Concat(once);
    }

    private static int EllipsisRank(Term term) => term.Labels.Count(c => !char.IsAsciiLetter(c));

    private static string Ellipsis(int rank) =>
        string.Concat(Enumerable.Range(0, rank).Select(i => (char)(FirstEllipsisLabel + rank - 1 - i)));

    // An index that an operand names twice: its diagonal.
    private static Term Diagonal(GraphBuilder b, Term term)
    {
        while (Repeated(term.Labels) is (var first, var second) and not (0, 0))
        {
            Node x = term.Value;
            var index = new TensorType(DType.I64, x.Shape);
            Node onDiagonal = b.Equal(b.Iota(index, first), b.Iota(index, second));
            Node masked = b.Select(onDiagonal, x, b.Like(x, 0));
            term = new Term(b.ReduceSum(masked, [second]), term.Labels.Remove(second, 1));
        }
        return term;
    }

    private static (int First, int Second) Repeated(string labels)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            int again = labels.IndexOf(labels[i], i + 1);
            if (again > 0)
            {
                return (i, again);
            }
        }
        return (0, 0);
    }

    private static Term SumOut(GraphBuilder b, Term term, string needed)
    {
        Axes gone = Axes.From(Enumerable.Range(0, term.Labels.Length).Where(i => !needed.Contains(term.Labels[i])));
        return gone.Count == 0
            ? term
            : new Term(b.ReduceSum(term.Value, gone), string.Concat(term.Labels.Where(needed.Contains)));
    }

    private static Term Contract(GraphBuilder b, OpSite site, Term x, Term y, string later)
    {
        (x, y) = (WithoutBroadcast(b, x, y), WithoutBroadcast(b, y, x));
        x = SumOut(b, x, later + y.Labels);
        y = SumOut(b, y, later + x.Labels);
        char[] shared = [.. x.Labels.Where(y.Labels.Contains)];
        foreach (char c in shared)
        {
            site.Require(
                site.CanBeEqual(x.Extent(c), y.Extent(c)), DiagnosticId.ContractionMismatch,
                $"index '{c}' has size {x.Extent(c)} in one operand and {y.Extent(c)} in another");
        }
        char[] batch = [.. shared.Where(later.Contains)];
        char[] contracted = [.. shared.Except(batch)];
        Node product = b.DotGeneral(x.Value, y.Value, x.Places(batch), y.Places(batch), x.Places(contracted), y.Places(contracted));
        IEnumerable<char> free = x.Labels.Except(shared).Concat(y.Labels.Except(shared));
        return new Term(product, string.Concat(batch.Concat(free)));
    }

    // A dimension of size 1 that meets a larger one repeats: without it the other one is simply free.
    private static Term WithoutBroadcast(GraphBuilder b, Term x, Term other)
    {
        Axes dropped = Axes.From(Enumerable.Range(0, x.Labels.Length).Where(
            i => x.Value.Shape[i] == 1 && other.Labels.Contains(x.Labels[i]) && other.Extent(x.Labels[i]) != 1));
        return new Term(
            b.Reshape(x.Value, x.Value.Shape.Without(dropped)), string.Concat(x.Labels.Where((_, i) => !dropped.Contains(i))));
    }

    private sealed record Term(Node Value, string Labels)
    {
        public Dim Extent(char label) => Value.Shape[Labels.IndexOf(label, StringComparison.Ordinal)];

        public Axes Places(char[] labels) => Axes.From(labels.Select(c => Labels.IndexOf(c, StringComparison.Ordinal)));
    }
}
