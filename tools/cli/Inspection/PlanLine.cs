using System.Collections.Immutable;
using System.Globalization;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>One step of a memory plan as it is shown: nested steps follow the one they belong to, one level deeper.</summary>
/// <param name="Depth">0 for the entry's own steps.</param>
/// <param name="Number">The step's place in the sequence of all steps.</param>
/// <param name="Part">Which part of the enclosing step this one belongs to (<c>body</c>, <c>branch 1</c>); empty at depth 0.</param>
/// <param name="Action">What it does: an op, <c>copy</c>, <c>parts</c>, <c>while</c> or <c>branch</c>.</param>
/// <param name="Reads">Buffers it reads.</param>
/// <param name="Writes">Buffers it writes.</param>
/// <param name="Workspaces">Buffers it uses for itself.</param>
/// <param name="Origin">Where its node came from.</param>
internal sealed record PlanLine(
    int Depth, int Number, string Part, string Action, ImmutableArray<int> Reads, ImmutableArray<int> Writes,
    ImmutableArray<int> Workspaces, string Origin)
{
    private const int OriginsShown = 3;

    /// <summary>All steps of a plan in order.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    public static IReadOnlyList<PlanLine> Of(MemoryPlan plan, ProvenanceTable provenance)
    {
        var lines = new List<PlanLine>();
        Add(lines, plan.Entry, 0, "", provenance);
        return lines;
    }

    private static void Add(List<PlanLine> lines, ComputationPlan plan, int depth, string part, ProvenanceTable provenance)
    {
        foreach (PlanStep step in plan.Steps)
        {
            switch (step)
            {
                case RunStep run:
                    string action = run.Node.Op is FusionOp f ? $"{f.Kind.ToString().ToLowerInvariant()} fusion" : run.Node.Op.Name;
                    lines.Add(new PlanLine(
                        depth, run.Number, part, action, run.Operands, run.Results, run.Workspaces, OriginOf(run.Node, provenance)));
                    break;
                case CopyStep copy:
                    lines.Add(new PlanLine(depth, copy.Number, part, "copy", [copy.From], [copy.To], [], ""));
                    break;
                case PartsStep parts:
                    lines.Add(new PlanLine(
                        depth, parts.Number, part, "parts", parts.Operands, parts.Results, [], OriginOf(parts.Node, provenance)));
                    break;
                case WhileStep loop:
                    lines.Add(new PlanLine(
                        depth, loop.Number, part, "while", loop.Carried, loop.Carried, [], OriginOf(loop.Node, provenance)));
                    Add(lines, loop.Condition, depth + 1, "condition", provenance);
                    Add(lines, loop.Body, depth + 1, "body", provenance);
                    break;
                case BranchStep branch:
                    lines.Add(new PlanLine(
                        depth, branch.Number, part, "branch", [branch.Selector], branch.Results, [], OriginOf(branch.Node, provenance)));
                    for (int i = 0; i < branch.Branches.Length; i++)
                    {
                        Add(lines, branch.Branches[i], depth + 1, string.Create(CultureInfo.InvariantCulture, $"branch {i}"), provenance);
                    }
                    break;
                default:
                    throw new CompilerBugException("inspect", $"the plan has a step of unknown kind: {step}");
            }
        }
    }

    private static string OriginOf(Node node, ProvenanceTable provenance)
    {
        IReadOnlyList<Provenance> origins = provenance[node];
        return string.Join("; ", origins.Take(OriginsShown)) + (origins.Count > OriginsShown ? "; ..." : "");
    }
}
