using Graphene.Interop.Onnx.Importing;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>If, Loop and Scan.</summary>
internal static class ControlFlow
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "If", 1, If),
        new("", "Loop", 1, LoopImport.Import),
        new("", "Scan", 9, ScanImport.Import),
    ];

    // A condition that is known at import leaves only its branch, in place.
    private static void If(OperatorCall c)
    {
        GraphProto whenTrue = c.Graph("then_branch");
        GraphProto whenFalse = c.Graph("else_branch");
        if (KnownCondition(c) is { } condition)
        {
            IReadOnlyList<OnnxValue> results = c.Importer.ImportSubgraph(condition ? whenTrue : whenFalse, c.Region, c, []);
            for (int i = 0; i < results.Count; i++)
            {
                c.Output(i, results[i]);
            }
            return;
        }
        Body yes = Body.Import(c, whenTrue, []);
        Body no = Body.Import(c, whenFalse, []);
        if (yes.Results.Count != no.Results.Count)
        {
            throw c.Bad(
                $"If has branches with {yes.Results.Count} and {no.Results.Count} results", "both must give the same number");
        }
        OnnxValue[] captures = [.. yes.Region.Captures.Union(no.Region.Captures)];
        Node predicate = c.B.Reshape(c.Input(0), Shape.Scalar);
        Node[] outputs = c.B.If(
            predicate, [.. captures.Select(c.Region.NodeOf)], yes.Close("then", captures), no.Close("else", captures));
        for (int i = 0; i < outputs.Length; i++)
        {
            c.Output(i, outputs[i], yes.Results[i].Type);
        }
    }

    private static bool? KnownCondition(OperatorCall c)
    {
        OnnxValue condition = c.Value(0);
        if (condition.Type != OnnxDataType.Bool)
        {
            throw c.Bad($"{c.Proto.OpType} has the condition {condition.TensorType}", "it must be a truth value");
        }
        if (condition.Dims is { IsStatic: true, Elements.Length: 1 } dims)
        {
            return dims.Elements[0] != 0;
        }
        return c.TryKnown(0) is { ElementCount: 1 } literal ? literal[0].AsBool : null;
    }
}
