namespace Graphene;

/// <summary>
/// The backward loop of a loop that runs as often as its data want: a fixed number of states is kept,
/// others are run again.
/// </summary>
/// <remarks>
/// The kept states form a stack, the latest on top. For round t, as long as the top is earlier than t, the loop runs on from there and
/// what it reaches is pushed; the state of round t is popped when it is used.
/// <code>
/// slots    |s0      |s64     |s128 |s130 |s131      t = 131: use and pop, then t = 130, ...
/// </code>
/// The distance between pushes is what the free slots allow: 1 when they suffice for the rest, so that nothing runs twice. When
/// few are left it is half of what remains, which needs no more than log2 of it. So memory is that of <see cref="Slots"/> states for any
/// number of rounds, no round of up to 24 runs again after the first pass, and the cost of more grows slowly
/// (Griewank and Walther, "Revolve", 2000, show the best that can be had; this is simpler and needs no number of rounds beforehand).
/// </remarks>
internal static class RecomputedStates
{
    /// <summary>The number of states that are kept.</summary>
    public const int Slots = 64;

    // Halving what remains of 2^40 rounds takes that many; they are never used for even spacing.
    private const int Reserve = 40;

    /// <summary>Runs the rounds backwards.</summary>
    /// <param name="states">What a round needs.</param>
    /// <param name="cotangents">The cotangents behind the last round.</param>
    /// <returns>The cotangents before the first round.</returns>
    public static Node[] Backward(LoopStates states, Node[] cotangents)
    {
        GraphBuilder b = states.Builder;
        Node count = states.CountRounds();
        Node zero = b.Constant(DType.I64, 0);
        Node one = b.Constant(DType.I64, 1);
        Node[] initial = states.Initial;
        int n = initial.Length;
        int c = cotangents.Length;

        // Carried: t (rounds still to do), height of the stack, the rounds of its states, the states, cotangents, invariants.
        Node rounds = b.Splat(DType.I64, Shape.Of(Slots), 0);
        Node[] stack = StateBuffers.Write(b, StateBuffers.Make(b, initial, Slots), zero, initial);
        Node[] final = b.While(
            [count, one, rounds, .. stack, .. cotangents, .. states.Invariants],
            (inner, p) => inner.Greater(p[0], inner.Constant(DType.I64, 0)),
            (inner, p) =>
            {
                Node[] invariants = p[(3 + n + c)..];
                Node turn = inner.Subtract(p[0], inner.Constant(DType.I64, 1));
                Node[] filled = FillUp(inner, states, turn, p[1..(3 + n)], invariants);
                Node top = inner.Subtract(filled[0], inner.Constant(DType.I64, 1));
                Node[] values = StateBuffers.Read(inner, filled[2..], top);
                Node[] next = states.Backward(inner, values, invariants, p[(3 + n)..(3 + n + c)]);
                return [turn, top, .. filled[1..], .. next, .. invariants];
            });
        return final[(3 + n)..(3 + n + c)];
    }

    // Pushes states until the top is that of the round that is wanted. Carried: height, rounds, states; then target, invariants.
    private static Node[] FillUp(GraphBuilder b, LoopStates states, Node target, Node[] stack, Node[] invariants)
    {
        int n = stack.Length;
        return b.While(
            [.. stack, target, .. invariants],
            (inner, p) => inner.Less(Top(inner, p[1], p[0]), p[n]),
            (inner, p) =>
            {
                Node top = inner.Subtract(p[0], inner.Constant(DType.I64, 1));
                Node from = Top(inner, p[1], p[0]);
                Node reached = inner.Add(from, Distance(inner, inner.Subtract(p[n], from), p[0]));
                Node[] values = Run(inner, states, StateBuffers.Read(inner, p[2..n], top), from, reached, p[(n + 1)..]);
                Node[] rounds = StateBuffers.Write(inner, [p[1]], p[0], [reached]);
                Node[] pushed = StateBuffers.Write(inner, p[2..n], p[0], values);
                return [inner.Add(p[0], inner.Constant(DType.I64, 1)), .. rounds, .. pushed, .. p[n..]];
            })[..n];
    }

    // How far to the next push: twice the even spacing over the free slots, at most half of what remains, at least 1.
    private static Node Distance(GraphBuilder b, Node remaining, Node height)
    {
        Node one = b.Constant(DType.I64, 1);
        Node two = b.Constant(DType.I64, 2);
        Node free = b.Maximum(b.Subtract(b.Constant(DType.I64, Slots - Reserve), height), one);
        Node even = b.Select(
            b.LessOrEqual(remaining, free), one,
            b.Divide(b.Add(b.Multiply(remaining, two), b.Subtract(free, one)), free));
        Node half = b.Divide(b.Add(remaining, one), two);
        return b.Maximum(b.Minimum(even, half), one);
    }

    private static Node[] Run(
        GraphBuilder b, LoopStates states, Node[] values, Node from, Node reached, Node[] invariants)
    {
        int n = values.Length;
        return b.While(
            [.. values, from, reached, .. invariants],
            (inner, p) => inner.Less(p[n], p[n + 1]),
            (inner, p) =>
            [
                .. states.Advance(inner, p[..n], p[(n + 2)..]), inner.Add(p[n], inner.Constant(DType.I64, 1)), .. p[(n + 1)..],
            ])[..n];
    }

    private static Node Top(GraphBuilder b, Node rounds, Node height) =>
        StateBuffers.Read(b, [rounds], b.Subtract(height, b.Constant(DType.I64, 1)))[0];
}
