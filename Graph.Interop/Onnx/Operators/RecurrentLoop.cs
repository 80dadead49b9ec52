using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>The loop over time of one direction of a recurrent layer.</summary>
internal static class RecurrentLoop
{
    /// <summary>Runs a cell over all time steps.</summary>
    /// <param name="c">The call: X, W, R, B, sequence_lens, initial_h, initial_c, P.</param>
    /// <param name="cell">What a step computes.</param>
    /// <param name="x">The inputs: [time, batch, input].</param>
    /// <param name="direction">Which slice of the weights.</param>
    /// <param name="backwards">True to run from the last step to the first.</param>
    /// <param name="batchFirst">True when the initial states are [batch, directions, hidden].</param>
    /// <returns>All outputs, [time, batch, hidden], and the last states, [batch, hidden] each.</returns>
    public static (Node All, Node[] Last) Run(
        OperatorCall c, RecurrentCell cell, Node x, int direction, bool backwards, bool batchFirst)
    {
        GraphBuilder b = c.B;
        (Dim time, Dim batch) = (x.Shape[0], x.Shape[1]);
        Node inputs = b.DotGeneral(x, Direction(b, c.Input(1), direction), [], [], [2], [1]);
        Node? stateBias = null;
        if (c.Optional(3) is { } given)
        {
            Node bias = Direction(b, given, direction);
            inputs = b.Add(inputs, b.AlongAxis(cell.InputBias(b, bias), inputs.Shape, 2));
            stateBias = cell.StateBias(b, bias);
        }
        var state = new Node[cell.StateCount];
        for (int s = 0; s < state.Length; s++)
        {
            state[s] = c.Optional(5 + s) is { } initial
                ? Direction(b, batchFirst ? b.Transpose(initial, [1, 0, 2]) : initial, direction)
                : b.Splat(x.DType, [batch, cell.Hidden], 0);
        }
        Node? peepholes = cell.StateCount == 2 && c.Optional(7) is { } p ? Direction(b, p, direction) : null;
        Node? lengths = c.Optional(4) is { } l ? b.Convert(l, DType.I32) : null;

        // Carried: step, outputs, states; then what does not change.
        var invariant = new List<Node> { inputs, Direction(b, c.Input(2), direction) };
        int biasAt = Append(invariant, stateBias);
        int peepAt = Append(invariant, peepholes);
        int lengthsAt = Append(invariant, lengths);
        Node all = b.Splat(x.DType, [time, batch, cell.Hidden], 0);
        Node[] carried = [b.Constant(DType.I32, 0), all, .. state, .. invariant];
        TensorType[] types = [.. carried.Select(n => n.Type)];
        Node[] results = b.While(carried, Condition(types, time), Body());
        return (results[1], results[2..(2 + state.Length)]);

        Computation Body()
        {
            var inner = new GraphBuilder();
            Node[] p = [.. types.Select((type, i) => inner.Parameter(i, type))];
            Node[] fixedValues = p[(2 + state.Length)..];
            Node step = p[0];
            Node at = backwards
                ? inner.Subtract(DimNodes.Splat(inner, time - 1, DType.I32, Shape.Scalar), step)
                : step;
            Node zero = inner.Constant(DType.I32, 0);
            Node row = inner.DynamicSlice(fixedValues[0], [at, zero, zero], [1, batch, cell.GateCount * cell.Hidden]);
            Node[] old = p[2..(2 + state.Length)];
            Node[] next = cell.Step(
                inner, direction, inner.Squeeze(row, 0), old, fixedValues[1], At(fixedValues, biasAt), At(fixedValues, peepAt));
            Node output = next[0];
            if (At(fixedValues, lengthsAt) is { } limit)
            {
                // Beyond its length a sequence keeps its state and gives 0.
                Node active = inner.Compare(inner.BroadcastInDim(at, limit.Shape, []), limit, CompareDirection.LT);
                Node mask = inner.AlongAxis(active, output.Shape, 0);
                next = [.. next.Zip(old, (fresh, kept) => inner.Select(mask, fresh, kept))];
                output = inner.Select(mask, output, inner.Like(output, 0));
            }
            Node stored = inner.DynamicUpdateSlice(p[1], inner.Unsqueeze(output, 0), [at, zero, zero]);
            Node count = inner.Add(step, inner.Constant(DType.I32, 1));
            return inner.Build("step", [count, stored, .. next, .. fixedValues]);
        }
    }

    // One direction's slice of [directions, ..].
    private static Node Direction(GraphBuilder b, Node x, int direction) =>
        b.Squeeze(Slicing.Range(b, x, 0, direction, 1), 0);

    /// <summary>Goes on while the first carried value, the step, is below the number of steps.</summary>
    public static Computation Condition(TensorType[] types, Dim time)
    {
        var b = new GraphBuilder();
        Node[] p = [.. types.Select((type, i) => b.Parameter(i, type))];
        Node end = DimNodes.Splat(b, time, DType.I32, Shape.Scalar);
        return b.Build("more", [b.Compare(p[0], end, CompareDirection.LT)]);
    }

    private static int Append(List<Node> list, Node? node)
    {
        if (node is null)
        {
            return -1;
        }
        list.Add(node);
        return list.Count - 1;
    }

    private static Node? At(Node[] values, int place) => place < 0 ? null : values[place];
}
