using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>ONNX's Loop as a <c>while</c>.</summary>
/// <remarks>
/// The subgraph takes the round's number, the condition and the carried values, and gives the condition, the carried values and
/// one slice of each stacked result.
/// <code>
///   carried by the while:  number | condition | values | stacked results | captured values
/// </code>
/// Stacked results need the number of rounds to be known before: a bound that is known, and no early end. A loop whose values
/// change shape is unrolled when its number of rounds is a small number.
/// </remarks>
internal static class LoopImport
{
    private const long MostUnrolledRounds = 256;

    public static void Import(OperatorCall c)
    {
        GraphProto graph = c.Graph("body");
        int carried = Math.Max(0, c.InputCount - 2);
        int stacked = graph.Output.Count - 1 - carried;
        if (stacked < 0 || graph.Input.Count != carried + 2)
        {
            throw c.Bad(
                $"Loop carries {carried} values, its body takes {graph.Input.Count} and gives {graph.Output.Count}",
                "the body takes number, condition and values, and gives condition, values and slices");
        }
        Dim? rounds = Rounds(c, stacked > 0);
        (TensorType, OnnxDataType)[] types =
        [
            (TensorType.Scalar(DType.I64), OnnxDataType.Int64),
            (TensorType.Scalar(DType.Bool), OnnxDataType.Bool),
            .. Enumerable.Range(2, carried).Select(i => (c.Value(i).TensorType, c.Value(i).Type)),
        ];
        if (TryBody(c, graph, types, rounds) is not { } body)
        {
            Unroll(c, graph, carried, stacked, rounds);
            return;
        }
        Node[] results = body.ResultNodes();
        bool endsEarly = !ReferenceEquals(results[0], body.Parameters[1]) &&
            !(body.Results[0].Literal is { ElementCount: 1 } always && always[0].AsBool);
        bool startsTrue = !c.Has(1) || c.TryKnown(1, mayAskForInputs: stacked > 0) is { ElementCount: 1 } first && first[0].AsBool;
        bool keepsShapes = Enumerable.Range(0, carried).All(i => results[i + 1].Type.Equals(c.Value(i + 2).TensorType));
        bool countKnown = rounds is not null && startsTrue && !endsEarly;
        if (!keepsShapes || (stacked > 0 && !countKnown))
        {
            Unroll(c, graph, carried, stacked, rounds);
            return;
        }
        AsWhile(c, body, results, carried, stacked, rounds);
    }

    // Inside a loop, values that change from round to round are data. When one of them decides a shape, only unrolling helps.
    private static Body? TryBody(
        OperatorCall c, GraphProto graph, IReadOnlyList<(TensorType Type, OnnxDataType Element)> types, Dim? rounds)
    {
        try
        {
            return Body.Import(c, graph, types);
        }
        catch (GraphException e) when (e.Id == OnnxDiagnosticIds.ValueNeeded && rounds is { IsStatic: true })
        {
            return null;
        }
    }

    // Only stacked results need the number of rounds; for them a value given for an input may be used.
    private static Dim? Rounds(OperatorCall c, bool stacks)
    {
        if (!c.Has(0))
        {
            return null;
        }
        DimTensor? count = c.TryDims(0) ?? (c.TryKnown(0, mayAskForInputs: stacks) is { } known
            ? DimTensor.FromLiteral(c.Value(0).Type, known)
            : null);
        if (count is not { Elements: [var dim] })
        {
            return null;
        }
        return dim.IsStatic ? Math.Max(0, dim.Value) : dim;
    }

    private static void AsWhile(OperatorCall c, Body body, Node[] results, int carried, int stacked, Dim? rounds)
    {
        GraphBuilder b = c.B;
        IReadOnlyList<OnnxValue> captures = body.Region.Captures;
        Node limit = rounds is { } count ? DimNodes.Splat(b, count, DType.I64, Shape.Scalar)
            : c.Optional(0) is { } given ? b.Reshape(given, Shape.Scalar)
            : b.Constant(Scalar.FromInteger(DType.I64, long.MaxValue));
        Node start = c.Optional(1) is { } condition ? b.Reshape(condition, Shape.Scalar) : b.Constant(Scalar.FromBool(true));
        Node[] values = [.. Enumerable.Range(2, carried).Select(c.Input)];
        Node[] slices = results[(1 + carried)..];
        Node[] buffers = [.. slices.Select(s => b.Splat(s.DType, Shape.From([rounds!.Value, .. s.Shape]), 0))];
        Node[] initial = [b.Constant(DType.I64, 0), limit, start, .. values, .. buffers, .. captures.Select(c.Region.NodeOf)];
        TensorType[] types = [.. initial.Select(n => n.Type)];
        Computation once = body.Close("body", captures);

        var inner = new GraphBuilder(b.Provenance);
        Node[] p = [.. types.Select((type, i) => inner.Parameter(i, type))];
        Node[] captured = p[(3 + carried + stacked)..];
        Node[] next = [.. ComputationCloner.Inline(once, inner, [p[0], p[2], .. p[3..(3 + carried)], .. captured]).Results];
        Node[] stores = [.. Enumerable.Range(0, stacked).Select(i => Store(inner, p[3 + carried + i], next[1 + carried + i], p[0]))];
        Node number = inner.Add(p[0], inner.Constant(DType.I64, 1));
        Node goesOn = inner.Reshape(next[0], Shape.Scalar);
        Computation step = inner.Build("step", [number, p[1], goesOn, .. next[1..(1 + carried)], .. stores, .. captured]);

        Node[] final = b.While(initial, More(types), step);
        for (int i = 0; i < carried; i++)
        {
            c.Output(i, final[3 + i], c.Value(2 + i).Type);
        }
        for (int i = 0; i < stacked; i++)
        {
            c.Output(carried + i, final[3 + carried + i], body.Results[1 + carried + i].Type);
        }
    }

    private static Computation More(TensorType[] types)
    {
        var b = new GraphBuilder();
        Node[] p = [.. types.Select((type, i) => b.Parameter(i, type))];
        return b.Build("more", [b.And(b.Less(p[0], p[1]), p[2])]);
    }

    /// <summary>Puts a slice at a place along the first dimension of a buffer.</summary>
    public static Node Store(GraphBuilder b, Node buffer, Node slice, Node place)
    {
        Node zero = b.Constant(Scalar.Zero(place.DType));
        return b.DynamicUpdateSlice(buffer, b.Unsqueeze(slice, 0), [place, .. Enumerable.Repeat(zero, slice.Rank)]);
    }

    // Rounds one after another in place; each sees the shapes of the one before.
    private static void Unroll(OperatorCall c, GraphProto graph, int carried, int stacked, Dim? rounds)
    {
        if (rounds is not { IsStatic: true } || rounds.Value.Value > MostUnrolledRounds)
        {
            throw c.Unsupported(
                $"Loop of {(rounds is null ? "unknown" : rounds.Value.ToString())} rounds changes the shape of what it carries "
                    + "or stacks results",
                $"such loops are unrolled, which needs a number of rounds that is known at import and at most {MostUnrolledRounds}");
        }
        OnnxValue condition = c.Has(1) ? c.Value(1) : Truth(true);
        var values = Enumerable.Range(2, carried).Select(c.Value).ToList();
        var slices = Enumerable.Range(0, stacked).Select(_ => new List<Node>()).ToArray();
        for (long round = 0; round < rounds.Value.Value; round++)
        {
            if (Known(c, condition) is not { } goesOn)
            {
                throw c.Unsupported("Loop ends at a round that only a run knows", "its results then have no known shape");
            }
            if (!goesOn)
            {
                break;
            }
            OnnxValue number = OnnxValue.FromDims(DimTensor.Scalar(OnnxDataType.Int64, round));
            IReadOnlyList<OnnxValue> results = c.Importer.ImportSubgraph(graph, c.Region, c, [number, condition, .. values]);
            condition = results[0];
            values = [.. results.Skip(1).Take(carried)];
            for (int i = 0; i < stacked; i++)
            {
                slices[i].Add(c.B.Unsqueeze(c.Region.NodeOf(results[1 + carried + i]), 0));
            }
        }
        for (int i = 0; i < carried; i++)
        {
            c.Output(i, values[i]);
        }
        for (int i = 0; i < stacked; i++)
        {
            c.Output(carried + i, slices[i].Count > 0 ? c.B.Concatenate([.. slices[i]], 0) : throw c.Unsupported(
                "Loop without rounds stacks results", "their shape is not known"));
        }
    }

    private static OnnxValue Truth(bool value) => OnnxValue.FromDims(DimTensor.Scalar(OnnxDataType.Bool, value ? 1 : 0));

    private static bool? Known(OperatorCall c, OnnxValue condition)
    {
        Literal? literal = condition.Literal ?? c.Importer.Constants.TryEvaluate(c.Region.NodeOf(condition), mayAskForInputs: true);
        return literal is { ElementCount: 1 } ? literal[0].AsBool : null;
    }
}
