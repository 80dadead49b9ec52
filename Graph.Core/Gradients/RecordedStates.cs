namespace Graphene;

/// <summary>The backward loop of a loop whose number of rounds is known: one pass records all states, one reads them.</summary>
internal static class RecordedStates
{
    /// <summary>Runs the rounds backwards.</summary>
    /// <param name="states">What a round needs.</param>
    /// <param name="count">How often the loop runs.</param>
    /// <param name="cotangents">The cotangents behind the last round.</param>
    /// <returns>The cotangents before the first round.</returns>
    public static Node[] Backward(LoopStates states, TripCount count, Node[] cotangents)
    {
        GraphBuilder b = states.Builder;
        int counter = states.Changing.IndexOf(count.Counter);
        Node[] buffers = Record(states, count, counter);
        int n = buffers.Length;
        return b.Repeat(
            count.Count,
            cotangents,
            [.. buffers, .. states.Invariants],
            (inner, round, present, outside) =>
            {
                Node last = inner.DimValue(count.Count - 1);
                Node turn = inner.Subtract(last, round);
                var values = new List<Node>(StateBuffers.Read(inner, outside[..n], turn));
                if (counter >= 0)
                {
                    values.Insert(counter, CounterAt(inner, states, count, counter, turn));
                }
                return states.Backward(inner, values, outside[n..], present);
            });
    }

    // What counts rounds follows from the round; all other states are stored.
    private static Node[] Record(LoopStates states, TripCount count, int counter)
    {
        GraphBuilder b = states.Builder;
        Node[] initial = states.Initial;
        int n = initial.Length;
        Node[] Stored(IEnumerable<Node> values) => [.. values.Where((_, i) => i != counter)];
        Node[] buffers = StateBuffers.Make(b, Stored(initial), count.Count);
        if (buffers.Length == 0)
        {
            return [];
        }
        return b.Repeat(
            count.Count,
            [.. initial, .. buffers],
            states.Invariants,
            (inner, round, carried, outside) =>
            {
                Node[] written = StateBuffers.Write(inner, carried[n..], round, Stored(carried[..n]));
                return [.. states.Advance(inner, carried[..n], outside), .. written];
            })[n..];
    }

    private static Node CounterAt(GraphBuilder b, LoopStates states, TripCount count, int counter, Node turn)
    {
        DType type = states.Initial[counter].DType;
        Node steps = b.Multiply(turn, b.Constant(DType.I64, count.Step));
        return b.Convert(b.Add(steps, b.Constant(DType.I64, count.Start)), type);
    }
}
