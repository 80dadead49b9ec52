using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that carry a state along the sequence: linear attention and causal convolution.</summary>
internal static class StateSpace
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "CausalConvWithState", 27, CausalConvolution),
        new("", "LinearAttention", 27, LinearAttention),
    ];

    // The state is what the kernel reaches back to: the last size - 1 inputs.
    private static void CausalConvolution(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node weights = c.Input(1);
        if (x.Rank != 3 || weights.Rank != 3)
        {
            throw c.Bad($"CausalConvWithState of {x.Type} with weights {weights.Type}", "both have three dimensions");
        }
        Dim reach = weights.Shape[2] - 1;
        Node past = c.Optional(3) ?? b.Splat(x.DType, [x.Shape[0], x.Shape[1], reach], 0);
        Node whole = b.Concatenate([past, x], 2);
        WindowDim[] window = [new WindowDim(weights.Shape[2])];
        long channels = x.Shape[1].IsStatic ? x.Shape[1].Value : throw c.Unsupported(
            $"CausalConvWithState of {x.Type}", "the number of channels must be known at import");
        Node y = b.Convolution(whole, weights, ConvolutionDimensions.ChannelsFirst(1), window, channels);
        y = c.Optional(2) is { } bias ? b.Add(y, b.AlongAxis(bias, y.Shape, 1)) : y;
        c.Output(0, c.Text("activation", "none") switch
        {
            "none" or "" => y,
            "silu" or "swish" => b.Wide(y, v => b.Silu(v)),
            var other => throw c.Bad($"CausalConvWithState has the activation '{GraphOrder.Shorten(other)}'", "it must be none or silu"),
        });
        c.Output(1, b.SliceDimension(whole, 2, whole.Shape[2] - reach, whole.Shape[2]));
    }

    // For each step, with the state S [size of keys, size of values] per head:
    //   gated: S = e^decay S;   delta: v = beta (v - S^T k);   S = S + k v^T;   y = scale S^T q
    private static void LinearAttention(OperatorCall c)
    {
        GraphBuilder b = c.B;
        long queryHeads = c.Int("q_num_heads");
        long heads = c.Int("kv_num_heads");
        Node q = TimeFirst(c, c.Input(0), queryHeads);
        Node k = TimeFirst(c, c.Input(1), heads);
        Node v = TimeFirst(c, c.Input(2), heads);
        string rule = c.Text("update_rule", "gated_delta");
        bool gated = rule is "gated" or "gated_delta";
        bool delta = rule is "delta" or "gated_delta";
        if (rule is not ("linear" or "gated" or "delta" or "gated_delta"))
        {
            throw c.Bad(
                $"LinearAttention has the update_rule '{GraphOrder.Shorten(rule)}'",
                "it must be linear, gated, delta or gated_delta");
        }
        Shape stateShape = [q.Shape[1], heads, k.Shape[3], v.Shape[3]];
        DType work = q.DType == DType.F64 ? DType.F64 : DType.F32;
        Node state = c.Optional(3) is { } past ? b.Convert(past, work) : b.Splat(work, stateShape, 0);
        double scale = c.Float("scale", 0);
        Dim time = q.Shape[0];
        Node outputs = b.Splat(work, [time, q.Shape[1], queryHeads, v.Shape[3]], 0);
        Node decay = gated ? Factors(c, 4, heads, work) : b.Constant(work, 0);
        Node beta = delta ? Factors(c, 5, heads, work) : b.Constant(work, 0);
        Node[] carried =
            [b.Constant(DType.I32, 0), outputs, state, b.Convert(q, work), b.Convert(k, work), b.Convert(v, work), decay, beta];
        TensorType[] types = [.. carried.Select(n => n.Type)];

        var inner = new GraphBuilder(b.Provenance);
        Node[] p = [.. types.Select((type, i) => inner.Parameter(i, type))];
        Node qt = At(inner, p[3], p[0]);
        Node kt = At(inner, p[4], p[0]);
        Node vt = At(inner, p[5], p[0]);
        Node next = p[2];
        if (gated)
        {
            Node factor = inner.Exponential(At(inner, p[6], p[0]));
            next = inner.Multiply(next, PerKey(inner, factor, stateShape));
        }
        if (delta)
        {
            Node retrieved = inner.DotGeneral(next, kt, [0, 1], [0, 1], [2], [2]);
            Node factor = inner.BroadcastTo(At(inner, p[7], p[0]), vt.Shape);
            vt = inner.Multiply(factor, inner.Subtract(vt, retrieved));
        }
        Node outer = inner.Multiply(
            inner.BroadcastInDim(kt, stateShape, [0, 1, 2]), inner.BroadcastInDim(vt, stateShape, [0, 1, 3]));
        next = inner.Add(next, outer);
        Dim groups = queryHeads / heads;
        Node grouped = inner.Reshape(qt, [qt.Shape[0], heads, groups, qt.Shape[2]]);
        Node read = inner.DotGeneral(grouped, next, [0, 1], [0, 1], [3], [2]);
        Node scaled = scale != 0 ? inner.Multiply(read, inner.Like(read, scale))
            : inner.Divide(read, inner.SquareRoot(DimNodes.Splat(inner, k.Shape[3], read.DType, read.Shape)));
        Node row = inner.Reshape(scaled, [qt.Shape[0], queryHeads, v.Shape[3]]);
        Node stored = LoopImport.Store(inner, p[1], row, p[0]);
        Node step = inner.Add(p[0], inner.Constant(DType.I32, 1));
        Computation body = inner.Build("step", [step, stored, next, .. p[3..]]);

        Node[] final = b.While(carried, RecurrentLoop.Condition(types, time), body);
        Node y = b.Transpose(b.Convert(final[1], q.DType), [1, 0, 2, 3]);
        c.Output(0, b.Reshape(y, [y.Shape[0], y.Shape[1], y.Shape[2] * y.Shape[3]]));
        c.Output(1, b.Convert(final[2], c.Has(3) ? c.Input(3).DType : q.DType));
    }

    // [batch, time, heads * size] as [time, batch, heads, size]
    private static Node TimeFirst(OperatorCall c, Node x, long heads)
    {
        if (x.Rank != 3 || heads < 1 || !Dim.TryDivideExact(x.Shape[2], heads, out Dim size))
        {
            throw c.Bad($"LinearAttention splits {x.Type} into {heads} heads", "the last dimension must be a multiple of the heads");
        }
        return c.B.Transpose(c.B.Reshape(x, [x.Shape[0], x.Shape[1], heads, size]), [1, 0, 2, 3]);
    }

    // One factor per head, or per head and place, or one for all heads: [time, batch, heads or 1, size or 1]
    private static Node Factors(OperatorCall c, int input, long heads, DType work)
    {
        GraphBuilder b = c.B;
        Node x = b.Convert(c.Input(input), work);
        long parts = x.Rank == 3 && x.Shape[2] == 1 ? 1 : heads;
        return x.Rank == 3 && Dim.TryDivideExact(x.Shape[2], parts, out Dim size)
            ? b.Transpose(b.Reshape(x, [x.Shape[0], x.Shape[1], parts, size]), [1, 0, 2, 3])
            : throw c.Bad(
                $"LinearAttention has factors {x.Type} for {heads} heads",
                "there is one for all, one per head, or one per place");
    }

    private static Node PerKey(GraphBuilder b, Node factor, Shape state) =>
        b.BroadcastInDim(b.BroadcastTo(factor, Shape.From(state.Take(3))), state, [0, 1, 2]);

    private static Node At(GraphBuilder b, Node sequence, Node step)
    {
        Node zero = b.Constant(DType.I32, 0);
        Node slice = b.DynamicSlice(
            sequence, [step, .. Enumerable.Repeat(zero, sequence.Rank - 1)], [1, .. sequence.Shape.Skip(1)]);
        return b.Squeeze(slice, 0);
    }
}
