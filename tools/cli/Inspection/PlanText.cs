using System.Globalization;
using System.Text;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>A memory plan as text: buffers with their lives, steps with the buffers they use, and the arena.</summary>
internal static class PlanText
{
    /// <summary>The text.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    public static string Write(MemoryPlan plan, ProvenanceTable provenance)
    {
        ArenaLayout? layout = plan.Symbols.IsEmpty ? plan.Pack(_ => 0) : null;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{plan.StepCount} steps, {plan.Buffers.Length} buffers, arena ");
        text.Append(layout is null ? $"depends on {string.Join(", ", plan.Symbols)}; choose with --dim" : $"{layout.SizeInBytes} bytes");
        text.Append("\n\n");
        foreach (PlannedBuffer buffer in plan.Buffers)
        {
            text.Append(CultureInfo.InvariantCulture, $"b{buffer.Index,-5} {Name(buffer),-14} {buffer.SizeInBytes} bytes");
            if (buffer.Kind == BufferKind.Temporary)
            {
                text.Append(CultureInfo.InvariantCulture, $", steps {buffer.Live.First}..{buffer.Live.Last}");
                text.Append(layout is null ? "" : string.Create(CultureInfo.InvariantCulture, $", at {layout.Offsets[buffer.Index]}"));
            }
            text.Append('\n');
        }
        text.Append('\n');
        Steps(text, plan.Entry, provenance, "");
        return text.ToString();
    }

    private static void Steps(StringBuilder text, ComputationPlan plan, ProvenanceTable provenance, string indent)
    {
        foreach (PlanStep step in plan.Steps)
        {
            text.Append(indent).Append(CultureInfo.InvariantCulture, $"{step.Number,4}  ");
            switch (step)
            {
                case RunStep run:
                    text.Append(CultureInfo.InvariantCulture, $"{Buffers(run.Results)} = {run.Node.Op.Name}({Buffers(run.Operands)})");
                    text.Append(run.Workspaces.IsEmpty ? "" : $", workspace {Buffers(run.Workspaces)}");
                    text.Append(Origin(run.Node, provenance)).Append('\n');
                    break;
                case CopyStep copy:
                    text.Append(CultureInfo.InvariantCulture, $"b{copy.To} = copy(b{copy.From})\n");
                    break;
                case WhileStep loop:
                    text.Append(CultureInfo.InvariantCulture, $"while, carries {Buffers(loop.Carried)}{Origin(loop.Node, provenance)}\n");
                    text.Append(indent).Append("      condition\n");
                    Steps(text, loop.Condition, provenance, indent + "    ");
                    text.Append(indent).Append("      body\n");
                    Steps(text, loop.Body, provenance, indent + "    ");
                    break;
                case BranchStep branch:
                    text.Append(CultureInfo.InvariantCulture, $"{Buffers(branch.Results)} = branch on b{branch.Selector}{Origin(branch.Node, provenance)}\n");
                    for (int i = 0; i < branch.Branches.Length; i++)
                    {
                        text.Append(indent).Append(CultureInfo.InvariantCulture, $"      branch {i}\n");
                        Steps(text, branch.Branches[i], provenance, indent + "    ");
                    }
                    break;
                default:
                    text.Append(CultureInfo.InvariantCulture, $"{step}\n");
                    break;
            }
        }
    }

    private static string Name(PlannedBuffer buffer) => buffer.Kind switch
    {
        BufferKind.Parameter => $"parameter {buffer.Number}",
        BufferKind.Result => $"result {buffer.Number}",
        BufferKind.Constant => "constant",
        _ => "temporary",
    };

    private static string Buffers(IEnumerable<int> buffers) => string.Join(", ", buffers.Select(b => $"b{b}"));

    private static string Origin(Node node, ProvenanceTable provenance)
    {
        IReadOnlyList<Provenance> origins = provenance[node];
        return origins.Count == 0 ? "" : $"  // {string.Join("; ", origins.Take(3))}{(origins.Count > 3 ? "; ..." : "")}";
    }
}
