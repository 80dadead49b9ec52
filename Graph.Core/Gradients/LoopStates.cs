using System.Collections.Immutable;

namespace Graphene;

/// <summary>What the backward loop needs to know of each round of the forward loop, and how to compute it.</summary>
internal sealed class LoopStates
{
    private readonly Node _node;
    private readonly WhileOp _loop;
    private readonly Computation _vjp;
    private readonly Computation _body;

    /// <summary>Sorts the carried values.</summary>
    /// <param name="b">The builder of the loop.</param>
    /// <param name="node">The loop.</param>
    /// <param name="loop">Its op.</param>
    /// <param name="vjp">The gradient of a round: carried values and cotangents in, cotangents out.</param>
    public LoopStates(GraphBuilder b, Node node, WhileOp loop, Computation vjp)
    {
        Builder = b;
        _node = node;
        _loop = loop;
        _vjp = vjp;
        _body = EffectFree.Of(loop.Body, b.Provenance);
        int n = node.Operands.Length;
        bool[] needed = Closure(Uses(vjp.Results, n));
        bool[] unchanged = [.. _body.Results.Select((r, i) => ReferenceEquals(r, _body.Parameters[i]))];
        Changing = [.. Enumerable.Range(0, n).Where(i => needed[i] && !unchanged[i])];
        Unchanged = [.. Enumerable.Range(0, n).Where(i => needed[i] && unchanged[i])];
    }

    /// <summary>The builder of the loop.</summary>
    public GraphBuilder Builder { get; }

    /// <summary>The carried values that are needed and change from round to round.</summary>
    public ImmutableArray<int> Changing { get; }

    /// <summary>The carried values that are needed and never change.</summary>
    public ImmutableArray<int> Unchanged { get; }

    /// <summary>The changing values before the first round.</summary>
    public Node[] Initial => [.. Changing.Select(i => _node.Operands[i])];

    /// <summary>The unchanging values.</summary>
    public Node[] Invariants => [.. Unchanged.Select(i => _node.Operands[i])];

    /// <summary>The changing values one round later.</summary>
    public Node[] Advance(GraphBuilder b, IReadOnlyList<Node> changing, IReadOnlyList<Node> unchanged)
    {
        ImmutableArray<Node> next = ComputationCloner.Inline(_body, b, Arguments(b, changing, unchanged)).Results;
        return [.. Changing.Select(i => next[i])];
    }

    /// <summary>The cotangents before a round from those behind it.</summary>
    public Node[] Backward(
        GraphBuilder b, IReadOnlyList<Node> changing, IReadOnlyList<Node> unchanged, IReadOnlyList<Node> cotangents) =>
        [.. ComputationCloner.Inline(_vjp, b, [.. Arguments(b, changing, unchanged), .. cotangents]).Results];

    /// <summary>The number of rounds, found by running the loop with nothing but what its condition depends on.</summary>
    public Node CountRounds()
    {
        Computation condition = EffectFree.Of(_loop.Condition, Builder.Provenance);
        bool[] needed = Closure(Uses(condition.Results, _node.Operands.Length));
        int[] carried = [.. Enumerable.Range(0, needed.Length).Where(i => needed[i])];
        return Builder.While(
            [Builder.Constant(DType.I64, 0), .. carried.Select(i => _node.Operands[i])],
            (b, p) => ComputationCloner.Inline(condition, b, Fill(b, carried, p[1..])).Results[0],
            (b, p) =>
            {
                ImmutableArray<Node> next = ComputationCloner.Inline(_body, b, Fill(b, carried, p[1..])).Results;
                return [b.Add(p[0], b.Constant(DType.I64, 1)), .. carried.Select(i => next[i])];
            })[0];
    }

    private Node[] Arguments(GraphBuilder b, IReadOnlyList<Node> changing, IReadOnlyList<Node> unchanged) =>
        Fill(b, [.. Changing, .. Unchanged], [.. changing, .. unchanged]);

    // Values that nobody reads are zeros, which vanish.
    private Node[] Fill(GraphBuilder b, IReadOnlyList<int> places, IReadOnlyList<Node> values)
    {
        var all = new Node[_node.Operands.Length];
        for (int i = 0; i < places.Count; i++)
        {
            all[places[i]] = values[i];
        }
        for (int i = 0; i < all.Length; i++)
        {
            all[i] ??= b.Zeros(_body.Parameters[i].Type);
        }
        return all;
    }

    // A value that is needed needs, one round earlier, all that the body computes it from.
    private bool[] Closure(bool[] needed)
    {
        while (true)
        {
            bool[] more = Uses(_body.Results.Where((_, i) => needed[i]), needed.Length);
            bool[] all = [.. more.Select((m, i) => m || needed[i])];
            if (all.SequenceEqual(needed))
            {
                return needed;
            }
            needed = all;
        }
    }

    private static bool[] Uses(IEnumerable<Node> roots, int count)
    {
        var used = new bool[count];
        foreach (Node node in Traversal.PostOrder([.. roots]))
        {
            if (node.Op is ParameterOp p && p.Number < count)
            {
                used[p.Number] = true;
            }
        }
        return used;
    }
}
