using System.Globalization;
using Graphene.Interop.Onnx;
using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Plans of whole models: they are right, and what concatenations and slices cost in them is told.</summary>
internal sealed class PartsOfModelsTests
{
    [Explicit("reads every model of a folder: GRAPHENE_MODELS, or the public ones")]
    [Test]
    public void PlansOfModelsAreRight()
    {
        string folder = Environment.GetEnvironmentVariable("GRAPHENE_MODELS") ?? SharedMaterial.Require("conformance/models");
        foreach (string path in Directory.EnumerateFiles(folder, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(folder, path);
            try
            {
                Report(name, GraphOptimizer.Run(OnnxImporter.Import(path).Module));
            }
            catch (GraphException e)
            {
                TestContext.Out.WriteLine($"{name}: {e.Message.Split('\n')[0]}");
            }
        }
    }

    private static void Report(string name, Module optimized)
    {
        MemoryPlan apart = BufferAssigner.Assign(optimized);
        MemoryPlan plan = BufferAssigner.Assign(optimized, new MemoryPlanOptions { SharesParts = true });
        MemoryPlanChecker.Check(plan, Typical);
        Node[] kernels = [.. Steps(apart.Entry).OfType<RunStep>().Select(s => s.Node)];
        Node[] joins = [.. kernels.Where(n => BodyOf(n).All(o => o is ConcatenateOp))];
        Node[] slices = [.. kernels.Where(n => BodyOf(n).All(o => o is SliceOp or ReshapeOp))];
        Node[] parts = [.. Steps(plan.Entry).OfType<PartsStep>().Select(s => s.Node)];
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: kernels that only concatenate {Count(joins)}, of which in place {Count([.. joins.Intersect(parts)])}; "
            + $"that only slice {Count(slices)}, of which in place {Count([.. slices.Intersect(parts)])}; "
            + $"arena {apart.Pack(Typical).SizeInBytes} to {plan.Pack(Typical).SizeInBytes}"));
    }

    private static string Count(Node[] nodes) => string.Create(
        CultureInfo.InvariantCulture,
        $"{nodes.Length} ({nodes.Sum(n => n.Types.Sum(t => t.SizeInBytes.Evaluate(Typical))) / 1024.0:0.0} KiB)");

    private static Op[] BodyOf(Node node)
    {
        Op[] ops = node.Op is FusionOp fusion
            ? [.. fusion.Body.PostOrder().Select(n => n.Op).Where(o => o is not ParameterOp)]
            : [node.Op];
        return ops.Length == 0 ? [node.Op] : ops;
    }

    private static long Typical(DimSymbol symbol) => Math.Clamp(64, symbol.Min, symbol.Max);

    private static IEnumerable<PlanStep> Steps(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => Steps(loop.Condition).Concat(Steps(loop.Body)),
        BranchStep branch => branch.Branches.SelectMany(Steps),
        _ => [step],
    });
}
