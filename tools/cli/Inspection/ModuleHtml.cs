using System.Globalization;
using System.Net;
using System.Text;

namespace Graphene.Cli.Inspection;

/// <summary>A module as one HTML page without scripts from elsewhere: a row for each node, linked to its operands.</summary>
internal static class ModuleHtml
{
    /// <summary>The look of the pages.</summary>
    public const string Style = """
        body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
        h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin-top: 2rem }
        table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
        td { font-family: ui-monospace, monospace; font-size: 13px } tr:target { background: #fff3bf }
        a { color: #1864ab; text-decoration: none } a:hover { text-decoration: underline } .dim { color: #777 }
        """;

    /// <summary>The page.</summary>
    public static string Write(Module module, string stage)
    {
        var html = new StringBuilder();
        string title = $"{Text(module.Name)}, {Text(stage)}";
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>");
        html.Append(CultureInfo.InvariantCulture, $"<style>{Style}</style></head><body><h1>{title}</h1>");
        Summary(html, module);
        var pending = new Queue<(string Title, string Prefix, Computation Computation)>();
        pending.Enqueue(("entry", "n", module.Entry));
        int number = 0;
        while (pending.TryDequeue(out (string Title, string Prefix, Computation Computation) next))
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2 id=\"{next.Prefix}\">{Text(next.Title)}</h2>");
            html.Append("<table><tr><th>node</th><th>op</th><th>operands</th><th>type</th><th>attributes</th><th>origin</th></tr>");
            foreach (Node node in next.Computation.PostOrder())
            {
                var bodies = new List<string>();
                foreach (Computation nested in node.Op.Computations)
                {
                    string prefix = string.Create(CultureInfo.InvariantCulture, $"c{++number}n");
                    bodies.Add(prefix);
                    pending.Enqueue(($"{nested.Name} of %{node.Id}", prefix, nested));
                }
                Row(html, next.Prefix, node, bodies, module.Provenance);
            }
            html.Append("</table><p>returns ").AppendJoin(", ", next.Computation.Results.Select(r => Link(next.Prefix, r))).Append("</p>");
        }
        return html.Append("</body></html>\n").ToString();
    }

    private static void Summary(StringBuilder html, Module module)
    {
        html.Append("<p>");
        for (int i = 0; i < module.InputNames.Length; i++)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"input <b>{Text(module.InputNames[i])}</b> {Text(module.Entry.Parameters[i].Type.ToString())}<br>");
        }
        for (int i = 0; i < module.OutputNames.Length; i++)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"output <b>{Text(module.OutputNames[i])}</b> {Text(module.Entry.Results[i].Type.ToString())}<br>");
        }
        html.Append("</p><p>");
        html.AppendJoin(
            ", ",
            module.Entry.PostOrder().GroupBy(n => n.Op.Name).OrderByDescending(g => g.Count())
                .Select(g => $"{g.Count()} {Text(g.Key)}"));
        html.Append("</p>");
    }

    private static void Row(StringBuilder html, string prefix, Node node, List<string> bodies, ProvenanceTable provenance)
    {
        string links = string.Concat(bodies.Select((b, i) => $" <a href=\"#{b}\">body {i}</a>"));
        html.Append(
            CultureInfo.InvariantCulture,
            $"<tr id=\"{prefix}{node.Id}\"><td>%{node.Id}</td><td>{Text(node.Op.Name)}{links}</td><td>");
        html.AppendJoin(", ", node.Operands.Select(o => Link(prefix, o)));
        html.Append(
            CultureInfo.InvariantCulture,
            $"</td><td>{Text(string.Join(", ", node.Types))}</td><td>{Text(NodeText.Attributes(node))}</td>");
        html.Append(CultureInfo.InvariantCulture, $"<td class=\"dim\">{Text(string.Join("; ", provenance[node].Take(3)))}</td></tr>");
    }

    private static string Link(string prefix, Node node) => $"<a href=\"#{prefix}{node.Id}\">%{node.Id}</a>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
