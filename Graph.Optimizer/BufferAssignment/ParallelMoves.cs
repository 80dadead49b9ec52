namespace Graphene.Optimizer;

/// <summary>Orders copies that are meant to happen at once: none may overwrite what another still has to read.</summary>
/// <remarks><code>a, b := b, a    =>    t := b;  b := a;  a := t</code></remarks>
internal static class ParallelMoves
{
    /// <summary>Copies with the same effect when done one after the other.</summary>
    /// <param name="moves">What should be copied; every target at most once.</param>
    /// <param name="temporary">Makes a value that holds another for a moment.</param>
    public static List<(Value From, Value To)> Sequence(
        IEnumerable<(Value From, Value To)> moves, Func<Value, Value> temporary)
    {
        List<(Value From, Value To)> remaining = [.. moves.Where(m => !SameMemory(m.From, m.To))];
        var order = new List<(Value, Value)>();
        while (remaining.Count > 0)
        {
            int free = remaining.FindIndex(m => !remaining.Exists(other => SameMemory(other.From, m.To)));
            if (free >= 0)
            {
                order.Add(remaining[free]);
                remaining.RemoveAt(free);
                continue;
            }
            // Only cycles are left: keep one source aside.
            Value source = remaining[0].From;
            Value aside = temporary(source);
            order.Add((source, aside));
            for (int i = 0; i < remaining.Count; i++)
            {
                if (SameMemory(remaining[i].From, source))
                {
                    remaining[i] = (aside, remaining[i].To);
                }
            }
        }
        return order;
    }

    private static bool SameMemory(Value a, Value b) => ReferenceEquals(a.Slot.Root, b.Slot.Root);
}
