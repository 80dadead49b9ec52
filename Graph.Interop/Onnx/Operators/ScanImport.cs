using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>ONNX's Scan (since version 9) as a <c>while</c> over the slices of its scanned inputs.</summary>
/// <remarks>
/// The subgraph takes the states and one slice of each scanned input, and gives the states and one slice of each stacked result.
/// Scanned axes are moved to the front before the loop, stacked axes to their place after it.
/// </remarks>
internal static class ScanImport
{
    public static void Import(OperatorCall c)
    {
        GraphBuilder b = c.B;
        GraphProto graph = c.Graph("body");
        int scanned = (int)Math.Clamp(c.Int("num_scan_inputs"), 0, int.MaxValue);
        int states = c.InputCount - scanned;
        int stacked = graph.Output.Count - states;
        if (scanned < 1 || states < 0 || stacked < 0 || graph.Input.Count != c.InputCount)
        {
            throw c.Bad(
                $"Scan has {c.InputCount} inputs of which {scanned} are scanned; "
                    + $"its body takes {graph.Input.Count} and gives {graph.Output.Count}",
                "the body takes states and slices, and gives states and slices");
        }
        long[] axes = Windows.List(c, "scan_input_axes", scanned, 0);
        long[] inputDirections = Windows.List(c, "scan_input_directions", scanned, 0);
        long[] outputAxes = Windows.List(c, "scan_output_axes", stacked, 0);
        long[] outputDirections = Windows.List(c, "scan_output_directions", stacked, 0);
        if (axes.Length != scanned || inputDirections.Length != scanned || outputAxes.Length != stacked ||
            outputDirections.Length != stacked)
        {
            throw c.Bad("Scan has lists of axes or directions of the wrong length", "they have one entry per scanned or stacked value");
        }
        Node[] sequences = [.. Enumerable.Range(0, scanned).Select(i => ToFront(c, c.Input(states + i), axes[i]))];
        Dim rounds = sequences[0].Shape[0];
        (TensorType, OnnxDataType)[] types =
        [
            .. Enumerable.Range(0, states).Select(i => (c.Value(i).TensorType, c.Value(i).Type)),
            .. sequences.Select((s, i) => (new TensorType(s.DType, Shape.From(s.Shape.Skip(1))), c.Value(states + i).Type)),
        ];
        Body body = Body.Import(c, graph, types);
        Node[] results = body.ResultNodes();
        for (int i = 0; i < states; i++)
        {
            if (!results[i].Type.Equals(c.Value(i).TensorType))
            {
                throw c.Unsupported(
                    $"Scan turns a state of {c.Value(i).TensorType} into {results[i].Type}", "states must keep their shape");
            }
        }
        Node[] buffers = [.. results[states..].Select(s => b.Splat(s.DType, Shape.From([rounds, .. s.Shape]), 0))];
        IReadOnlyList<OnnxValue> captures = body.Region.Captures;
        Node[] initial =
        [
            b.Constant(DType.I64, 0), .. Enumerable.Range(0, states).Select(c.Input), .. buffers, .. sequences,
            .. captures.Select(c.Region.NodeOf),
        ];
        TensorType[] carried = [.. initial.Select(n => n.Type)];
        Computation once = body.Close("body", captures);

        var inner = new GraphBuilder(b.Provenance);
        Node[] p = [.. carried.Select((type, i) => inner.Parameter(i, type))];
        Node[] sources = p[(1 + states + stacked)..(1 + states + stacked + scanned)];
        Node[] captured = p[(1 + states + stacked + scanned)..];
        Node backwards = inner.Subtract(DimNodes.Splat(inner, rounds - 1, DType.I64, Shape.Scalar), p[0]);
        Node[] slices = [.. sources.Select((s, i) => Slice(inner, s, inputDirections[i] != 0 ? backwards : p[0]))];
        Node[] next = [.. ComputationCloner.Inline(once, inner, [.. p[1..(1 + states)], .. slices, .. captured]).Results];
        Node[] stores = [.. Enumerable.Range(0, stacked).Select(i => LoopImport.Store(
            inner, p[1 + states + i], next[states + i], outputDirections[i] != 0 ? backwards : p[0]))];
        Node number = inner.Add(p[0], inner.Constant(DType.I64, 1));
        Computation step = inner.Build("step", [number, .. next[..states], .. stores, .. sources, .. captured]);

        Node[] final = b.While(initial, More(carried, rounds), step);
        for (int i = 0; i < states; i++)
        {
            c.Output(i, final[1 + i], c.Value(i).Type);
        }
        for (int i = 0; i < stacked; i++)
        {
            Node all = final[1 + states + i];
            int axis = c.NormalAxis(outputAxes[i], all.Rank);
            int[] order = [.. Enumerable.Range(1, all.Rank - 1)];
            c.Output(states + i, b.Transpose(all, Axes.From([.. order[..axis], 0, .. order[axis..]])), body.Results[states + i].Type);
        }
    }

    private static Node ToFront(OperatorCall c, Node x, long axis)
    {
        int front = c.NormalAxis(axis, x.Rank);
        return c.B.Transpose(x, Axes.From([front, .. Enumerable.Range(0, x.Rank).Where(a => a != front)]));
    }

    private static Node Slice(GraphBuilder b, Node sequence, Node place)
    {
        Node zero = b.Constant(Scalar.Zero(place.DType));
        Node slice = b.DynamicSlice(
            sequence, [place, .. Enumerable.Repeat(zero, sequence.Rank - 1)], [1, .. sequence.Shape.Skip(1)]);
        return b.Squeeze(slice, 0);
    }

    private static Computation More(TensorType[] types, Dim rounds)
    {
        var b = new GraphBuilder();
        Node[] p = [.. types.Select((type, i) => b.Parameter(i, type))];
        return b.Build("more", [b.Less(p[0], DimNodes.Splat(b, rounds, DType.I64, Shape.Scalar))]);
    }
}
