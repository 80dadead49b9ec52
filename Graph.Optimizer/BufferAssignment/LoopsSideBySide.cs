using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>
/// Finds loops that do not wait for each other and do the same work, and puts them next to each other.
/// </summary>
/// <remarks>
/// <code>
/// a, loop(a), f(loop(a)), b, loop(b)   =>   a, b, loop(a), loop(b), f(loop(a))     and threads run both loops at once
/// </code>
/// The two directions of a recurrent layer are such loops. They must count alike and their rounds cost alike, and meet
/// what <see cref="LoopSharing"/> asks for. Loops with effects stay where they are.
/// </remarks>
/// <param name="sharing">What pays.</param>
internal sealed class LoopsSideBySide(LoopSharing sharing)
{
    private readonly Dictionary<Node, LoopRound> _rounds = new(ReferenceEqualityComparer.Instance);

    /// <summary>A schedule whose loops stand side by side where they may.</summary>
    /// <param name="schedule">An order of the nodes of a computation.</param>
    public LoopSchedule Arrange(ImmutableArray<Node> schedule)
    {
        var groups = new Dictionary<Node, ImmutableArray<Node>>(ReferenceEqualityComparer.Instance);
        var taken = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        Node[] loops = [.. schedule.Where(IsCandidate)];
        if (loops.Length < 2)
        {
            return new LoopSchedule(schedule, groups);
        }
        foreach (Node first in loops)
        {
            if (!taken.Add(first))
            {
                continue;
            }
            var group = new List<Node> { first };
            foreach (Node other in loops.SkipWhile(l => !ReferenceEquals(l, first)))
            {
                if (!taken.Contains(other) && AreAlike(first, other) &&
                    TryGather(schedule, group, other) is { } gathered)
                {
                    schedule = gathered;
                    group.Add(other);
                    taken.Add(other);
                }
            }
            if (group.Count > 1)
            {
                groups.Add(first, [.. group]);
            }
        }
        return new LoopSchedule(schedule, groups);
    }

    private bool IsCandidate(Node node)
    {
        if (node.Op is not WhileOp loop || loop.HasSideEffects || loop.Computations.Any(CallsHost))
        {
            return false;
        }
        LoopRound round = LoopRound.Of(loop);
        _rounds.Add(node, round);
        return round.Work >= sharing.LeastWork && round.BytesKept <= sharing.CacheInBytes;
    }

    private static bool CallsHost(Computation computation) => computation.PostOrder().Any(
        n => n.Op is HostCallOp or CustomCallOp || (ControlFlow.IsExecuted(n.Op) && n.Op.Computations.Any(CallsHost)));

    private bool AreAlike(Node a, Node b)
    {
        (double x, double y) = (_rounds[a].Work, _rounds[b].Work);
        return Math.Max(x, y) <= sharing.LargestRatio * Math.Min(x, y) && CountAlike(a, b);
    }

    // Equal conditions on values that start equal. Loops may still run different numbers of rounds: that costs time,
    // not correctness.
    private static bool CountAlike(Node a, Node b)
    {
        IReadOnlyList<Node> left = Traversal.PostOrder(((WhileOp)a.Op).Condition.Results);
        IReadOnlyList<Node> right = Traversal.PostOrder(((WhileOp)b.Op).Condition.Results);
        if (left.Count != right.Count)
        {
            return false;
        }
        var twins = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < left.Count; i++)
        {
            (Node x, Node y) = (left[i], right[i]);
            bool isSame = x.Op is ParameterOp p && y.Op is ParameterOp q
                ? ReferenceEquals(a.Operands[p.Number], b.Operands[q.Number])
                : x.Op.Equals(y.Op) && x.Operands.Length == y.Operands.Length &&
                    x.Operands.Zip(y.Operands).All(pair => ReferenceEquals(twins[pair.First], pair.Second));
            if (!isSame)
            {
                return false;
            }
            twins.Add(x, y);
        }
        return true;
    }

    // before, loops, between, other => before, what does not wait for the loops, loops, other, what does.
    // Null when the other waits for them, or what would come earlier is too large.
    private ImmutableArray<Node>? TryGather(ImmutableArray<Node> schedule, List<Node> loops, Node other)
    {
        int start = schedule.IndexOf(loops[0]);
        int end = schedule.IndexOf(other);
        var waiting = new HashSet<Node>(loops, ReferenceEqualityComparer.Instance);
        var early = new List<Node>();
        var late = new List<Node>();
        bool effectWaits = false;
        for (int i = start + loops.Count; i <= end; i++)
        {
            Node node = schedule[i];
            bool waits = node.Operands.Any(waiting.Contains) || (effectWaits && node.Op.HasSideEffects);
            if (waits)
            {
                waiting.Add(node);
                effectWaits |= node.Op.HasSideEffects; // those after it keep their place behind it
            }
            (waits ? late : early).Add(node);
        }
        if (waiting.Contains(other))
        {
            return null;
        }
        early.RemoveAt(early.Count - 1);
        long bytes = early.Where(n => n.Op is not (ParameterOp or ConstantOp) && !MemoryNames.IsName(n))
            .Sum(n => n.Types.Sum(ListScheduler.TypicalBytes));
        if (bytes > sharing.MostBytesEarlier)
        {
            return null;
        }
        return [.. schedule[..start], .. early, .. loops, other, .. late, .. schedule[(end + 1)..]];
    }
}

/// <summary>An order of nodes, and which of its loops run at the same time.</summary>
/// <param name="Order">Each node after its operands; the loops of a group are neighbours.</param>
/// <param name="Groups">The loops of each group, two at least, by its first.</param>
internal sealed record LoopSchedule(ImmutableArray<Node> Order, Dictionary<Node, ImmutableArray<Node>> Groups);
