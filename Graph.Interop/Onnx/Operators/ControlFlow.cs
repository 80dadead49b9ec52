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
        if (c.Value(0).Type != OnnxDataType.Bool)
        {
            throw c.Bad($"{c.Proto.OpType} has the condition {c.Value(0).TensorType}", "it must be a truth value");
        }
        if (Truth(c.TryKnown(0)) is { } known)
        {
            TakeBranch(c, known);
            return;
        }
        try
        {
            BothBranches(c);
        }
        catch (GraphException) when (Truth(c.TryKnown(0, mayAskForInputs: true)) is { } given)
        {
            // A branch that does not fit these shapes, or branches with different shapes: with a value that the caller has for
            // an input, one branch is enough.
            TakeBranch(c, given);
        }
    }

    private static bool? Truth(Literal? literal) => literal is { ElementCount: 1 } ? literal[0].AsBool : null;

    private static void TakeBranch(OperatorCall c, bool condition)
    {
        GraphProto branch = c.Graph(condition ? "then_branch" : "else_branch");
        IReadOnlyList<OnnxValue> results = c.Importer.ImportSubgraph(branch, c.Region, c, []);
        for (int i = 0; i < results.Count; i++)
        {
            c.Output(i, results[i]);
        }
    }

    private static void BothBranches(OperatorCall c)
    {
        Body yes = Body.Import(c, c.Graph("then_branch"), []);
        Body no = Body.Import(c, c.Graph("else_branch"), []);
        RequireSameTypes(c, yes.Results, no.Results);
        OnnxValue[] captures = [.. yes.Region.Captures.Union(no.Region.Captures)];
        Node predicate = c.B.Reshape(c.Input(0), Shape.Scalar);
        Node[] outputs = c.B.If(
            predicate, [.. captures.Select(c.Region.NodeOf)], yes.Close("then", captures), no.Close("else", captures));
        for (int i = 0; i < outputs.Length; i++)
        {
            c.Output(i, outputs[i], yes.Results[i].Type);
        }
    }

    private static void RequireSameTypes(OperatorCall c, IReadOnlyList<OnnxValue> yes, IReadOnlyList<OnnxValue> no)
    {
        if (yes.Count != no.Count)
        {
            throw c.Bad($"If has branches with {yes.Count} and {no.Count} results", "both must give the same number");
        }
        for (int i = 0; i < yes.Count; i++)
        {
            bool canBeSame = yes[i].Type == no[i].Type && yes[i].Rank == no[i].Rank &&
                !yes[i].Shape.Zip(no[i].Shape).Any(d => d.First.ProvablyDiffers(d.Second));
            if (!canBeSame)
            {
                throw c.Unsupported(
                    $"If has branches that give {yes[i].TensorType} and {no[i].TensorType}",
                    "the condition is not known at import, so both must give the same type",
                    "import the model for the sizes or values that decide the condition (--dim NAME=N, --input NAME=FILE)");
            }
        }
    }
}
