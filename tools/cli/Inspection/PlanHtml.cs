using System.Globalization;
using System.Net;
using System.Text;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>A memory plan as one HTML page: a map of the arena (steps to the right, addresses down), buffers, steps.</summary>
internal static class PlanHtml
{
    private const double MapWidth = 1000;
    private const double MapHeight = 400;

    /// <summary>The page.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    /// <param name="name">The name of the module.</param>
    public static string Write(MemoryPlan plan, ProvenanceTable provenance, string name)
    {
        ArenaLayout? layout = PlanText.Layout(plan);
        IReadOnlyList<PlanLine> lines = PlanLine.Of(plan, provenance);
        string title = $"{Text(name)}, plan";
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>");
        html.Append(CultureInfo.InvariantCulture, $"<style>{ModuleHtml.Style}</style></head><body><h1>{title}</h1>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<p>{lines.Count} steps, {plan.Buffers.Length} buffers, arena {Text(PlanText.Arena(plan, layout))}</p>");
        if (layout is { SizeInBytes: > 0 })
        {
            Map(html, plan, layout);
        }
        html.Append("<h2>buffers</h2><table><tr><th>buffer</th><th>what</th><th>bytes</th><th>steps</th><th>at</th></tr>");
        foreach (PlannedBuffer b in plan.Buffers)
        {
            bool temporary = b.Kind == BufferKind.Temporary;
            string steps = temporary ? string.Create(CultureInfo.InvariantCulture, $"{b.Live.First}..{b.Live.Last}") : "";
            string at = temporary && layout is not null ? layout.Offsets[b.Index].ToString(CultureInfo.InvariantCulture) : "";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr id=\"b{b.Index}\"><td>b{b.Index}</td><td>{PlanText.Name(b)}</td><td>{Text(b.SizeInBytes.ToString())}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{steps}</td><td>{at}</td></tr>");
        }
        html.Append("</table><h2>steps</h2><table><tr><th>step</th><th>what</th><th>reads</th><th>writes</th>")
            .Append("<th>workspace</th><th>origin</th></tr>");
        foreach (PlanLine line in lines)
        {
            string part = line.Part.Length == 0 ? "" : $"{line.Part}: ";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{line.Number}</td><td style=\"padding-left:{2 * line.Depth}em\">{Text(part + line.Action)}</td>");
            html.Append(
                CultureInfo.InvariantCulture,
                $"<td>{Links(line.Reads)}</td><td>{Links(line.Writes)}</td><td>{Links(line.Workspaces)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td class=\"dim\">{Text(line.Origin)}</td></tr>");
        }
        return html.Append("</table></body></html>\n").ToString();
    }

    private static void Map(StringBuilder html, MemoryPlan plan, ArenaLayout layout)
    {
        double step = MapWidth / Math.Max(1, plan.StepCount);
        double scale = MapHeight / layout.SizeInBytes;
        html.Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {MapWidth} {MapHeight}\" width=\"100%\" style=\"border:1px solid #ccc\">");
        foreach (PlannedBuffer b in plan.Buffers.Where(b => b.Kind == BufferKind.Temporary))
        {
            double height = b.SizeInBytes.Value * scale;
            html.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{b.Live.First * step:F2}\" y=\"{layout.Offsets[b.Index] * scale:F2}\" " +
                $"width=\"{(b.Live.Last - b.Live.First + 1) * step:F2}\" height=\"{height:F2}\" " +
                $"fill=\"hsl({b.Index * 47 % 360} 60% 75%)\" stroke=\"#555\" stroke-width=\".3\">");
            html.Append(
                CultureInfo.InvariantCulture,
                $"<title>b{b.Index}: {b.SizeInBytes} bytes at {layout.Offsets[b.Index]}, "
                    + $"steps {b.Live.First}..{b.Live.Last}</title></rect>");
        }
        html.Append("</svg>");
    }

    private static string Links(IEnumerable<int> buffers) =>
        string.Join(", ", buffers.Select(b => string.Create(CultureInfo.InvariantCulture, $"<a href=\"#b{b}\">b{b}</a>")));

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
