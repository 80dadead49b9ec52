using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Conditionals and loops with graphs as bodies; composites and fusions become what they compute.</summary>
internal static class ControlFlow
{
    public static IEnumerable<ExportRow> Rows =>
    [
        new("composite", site => site.Result(site.Inline(((CompositeOp)site.Node.Op).Decomposition, site.Operands))),
        new("fusion", site => site.Result(site.Inline(((FusionOp)site.Node.Op).Body, site.Operands))),
        new("if", If),
        new("case", Case),
        new("while", While),
    ];

    private static void If(ExportSite site)
    {
        var op = (IfOp)site.Node.Op;
        StoredValue[] arguments = [.. site.Operands.Skip(1)];
        SetResults(site, Choose(
            site.Graph, site.Plain(0), Branch(site.Nested("then"), op.WhenTrue, arguments),
            Branch(site.Nested("else"), op.WhenFalse, arguments), site.Node.Types.Length));
    }

    // A choice of two at a time; an index outside means the last.
    private static void Case(ExportSite site)
    {
        var branches = ((CaseOp)site.Node.Op).Cases;
        StoredValue[] arguments = [.. site.Operands.Skip(1)];
        string index = site.Plain(0);
        int results = site.Node.Types.Length;
        if (branches.Count == 1)
        {
            site.Result(site.Inline(branches[0], arguments));
            return;
        }
        SetResults(site, Choice(site.Nested, site.Graph, 0));

        string[] Choice(Func<string, ComputationExporter> nested, GraphWriter graph, int first)
        {
            DType type = site.Operands[0].Type.DType;
            string isFirst = graph.Add("Equal", [index, graph.Number(type, first)]);
            GraphProto then = Branch(nested("then"), branches[first], arguments);
            ComputationExporter rest = nested("else");
            if (first + 2 == branches.Count)
            {
                return Choose(graph, isFirst, then, Branch(rest, branches[first + 1], arguments), results);
            }
            string[] outputs = Choice(rest.Nested, rest.Graph, first + 1);
            for (int i = 0; i < results; i++)
            {
                rest.Graph.Graph.Output.Add(FileTypes.Port(outputs[i], branches[0].ResultTypes[i]));
            }
            return Choose(graph, isFirst, then, rest.Graph.Graph, results);
        }
    }

    // ONNX's Loop is given the condition for the first round, and its body computes it for the next.
    private static void While(ExportSite site)
    {
        var op = (WhileOp)site.Node.Op;
        string first = site.Place.Plain(site.Inline(op.Condition, site.Operands)[0]);
        ComputationExporter body = site.Nested("body");
        GraphProto graph = body.Graph.Graph;
        graph.Input.Add(FileTypes.Port(body.Graph.Unique("round"), TensorType.Scalar(DType.I64)));
        graph.Input.Add(FileTypes.Port(body.Graph.Unique("goes_on"), TensorType.Scalar(DType.Bool)));
        var carried = new List<StoredValue>();
        foreach (TensorType type in op.Body.ParameterTypes)
        {
            string name = body.Graph.Unique("carried");
            graph.Input.Add(FileTypes.Port(name, type));
            carried.Add(StoredValue.Plain(name, type));
        }
        StoredValue[] next = body.Inline(op.Body, carried);
        StoredValue goesOn = body.Inline(op.Condition, next)[0];
        AddOutputs(body, [goesOn, .. next]);
        SetResults(site, site.Graph.AddMany(
            "Loop", next.Length, ["", first, .. site.Operands.Select(site.Place.Plain)], Attributes.Graph("body", graph)));
    }

    private static GraphProto Branch(ComputationExporter inside, Computation computation, StoredValue[] arguments)
    {
        AddOutputs(inside, inside.Inline(computation, arguments));
        return inside.Graph.Graph;
    }

    // What a body gives must be computed in it, even where it only hands on what it got.
    private static void AddOutputs(ComputationExporter body, IEnumerable<StoredValue> results)
    {
        foreach (StoredValue result in results)
        {
            string output = body.Graph.Unique("result");
            var copy = new NodeProto { OpType = "Identity", Name = output };
            copy.Input.Add(body.Place.Plain(result));
            copy.Output.Add(output);
            body.Graph.Graph.Node.Add(copy);
            body.Graph.Graph.Output.Add(FileTypes.Port(output, result.Type));
        }
    }

    private static string[] Choose(GraphWriter graph, string condition, GraphProto then, GraphProto otherwise, int results) =>
        graph.AddMany(
            "If", results, [condition], Attributes.Graph("then_branch", then), Attributes.Graph("else_branch", otherwise));

    private static void SetResults(ExportSite site, string[] names) =>
        site.Result([.. names.Select((name, i) => StoredValue.Plain(name, site.Node.Types[i]))]);
}
