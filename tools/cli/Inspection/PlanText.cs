using System.Globalization;
using System.Text;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>A memory plan as text: the arena, buffers with their lives, steps with the buffers they use.</summary>
internal static class PlanText
{
    /// <summary>The text.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    public static string Write(MemoryPlan plan, ProvenanceTable provenance)
    {
        ArenaLayout? layout = Layout(plan);
        IReadOnlyList<PlanLine> lines = PlanLine.Of(plan, provenance);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{lines.Count} steps, {plan.Buffers.Length} buffers, arena ");
        text.Append(Arena(plan, layout)).Append('\n').Append(Total(plan, layout)).Append('\n');
        foreach (PlannedBuffer buffer in plan.Buffers)
        {
            text.Append(CultureInfo.InvariantCulture, $"b{buffer.Index,-5} {Name(buffer),-14} {buffer.SizeInBytes} bytes");
            if (buffer.Kind == BufferKind.Temporary)
            {
                text.Append(CultureInfo.InvariantCulture, $", steps {buffer.Live.First}..{buffer.Live.Last}");
                text.Append(layout is null ? "" : string.Create(CultureInfo.InvariantCulture, $", at {layout.Offsets[buffer.Index]}"));
            }
            text.Append(buffer.Kind == BufferKind.Part ? $", at {buffer.OffsetInBytes}" : "");
            text.Append(buffer.Box is { } box ? $", {box.Part} from {box.Starts} of {box.Whole}" : "").Append('\n');
        }
        text.Append('\n');
        foreach (PlanLine line in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"{line.Number,5}  {new string(' ', 4 * line.Depth)}");
            text.Append(line.Part.Length == 0 ? "" : $"{line.Part}: ");
            text.Append(CultureInfo.InvariantCulture, $"{Buffers(line.Writes)} = {line.Action}({Buffers(line.Reads)})");
            text.Append(line.Workspaces.IsEmpty ? "" : $", workspace {Buffers(line.Workspaces)}");
            text.Append(line.Origin.Length == 0 ? "" : $"  // {line.Origin}").Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Where the temporaries lie; null when that depends on symbols.</summary>
    public static ArenaLayout? Layout(MemoryPlan plan) => plan.Symbols.IsEmpty ? plan.Pack(_ => 0) : null;

    /// <summary>The size of the arena in words.</summary>
    public static string Arena(MemoryPlan plan, ArenaLayout? layout) => layout is null
        ? $"depends on {string.Join(", ", plan.Symbols.Select(s => s.Name))}; choose with --dim"
        : string.Create(CultureInfo.InvariantCulture, $"{layout.SizeInBytes} bytes");

    /// <summary>The memory of a run by owner, in words, as one line; empty when that depends on symbols.</summary>
    public static string Total(MemoryPlan plan, ArenaLayout? layout)
    {
        if (layout is null)
        {
            return "";
        }
        long Of(BufferKind kind) => plan.Buffers.Where(b => b.Kind == kind).Sum(b => b.SizeInBytes.Value);
        (long inputs, long results, long constants) = (Of(BufferKind.Parameter), Of(BufferKind.Result), Of(BufferKind.Constant));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"inputs {inputs}, results {results}, constants {constants}; "
            + $"with the arena {inputs + results + constants + layout.SizeInBytes} bytes\n");
    }

    /// <summary>What a buffer is.</summary>
    public static string Name(PlannedBuffer buffer) => buffer.Kind switch
    {
        BufferKind.Parameter => string.Create(CultureInfo.InvariantCulture, $"parameter {buffer.Number}"),
        BufferKind.Result => string.Create(CultureInfo.InvariantCulture, $"result {buffer.Number}"),
        BufferKind.Constant => "constant",
        BufferKind.Part => string.Create(CultureInfo.InvariantCulture, $"part of b{buffer.Number}"),
        _ => "temporary",
    };

    private static string Buffers(IEnumerable<int> buffers) =>
        string.Join(", ", buffers.Select(b => string.Create(CultureInfo.InvariantCulture, $"b{b}")));
}
