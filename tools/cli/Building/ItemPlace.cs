using System.Globalization;
using System.Xml;

namespace Graphene.Cli.Building;

/// <summary>Finds where a project file has a <c>GrapheneModel</c> item, since the build does not tell lines to what it starts.</summary>
internal static class ItemPlace
{
    /// <summary>The place in the form <c>App.csproj(12,5)</c>, or the file alone when the item is not found there.</summary>
    /// <param name="project">The file that defines the item.</param>
    /// <param name="item">The item, as the project includes it. An item from a pattern is at the first pattern.</param>
    public static string Find(string project, string item)
    {
        if (project.Length == 0)
        {
            return "graphene";
        }
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null };
            using var reader = XmlReader.Create(project, settings);
            return Find(reader, item) is var (line, column)
                ? string.Create(CultureInfo.InvariantCulture, $"{project}({line},{column})")
                : project;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or XmlException or ArgumentException)
        {
            return project; // the item exists, so the build has read the file; what is wrong with it is not what we report
        }
    }

    private static (int Line, int Column)? Find(XmlReader reader, string item)
    {
        (int, int)? pattern = null;
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element || reader.LocalName != "GrapheneModel" ||
                reader.GetAttribute("Include") is not { } include || reader is not IXmlLineInfo place)
            {
                continue;
            }
            if (include.Split(';', StringSplitOptions.TrimEntries).Any(i => Same(i, item)))
            {
                return (place.LineNumber, place.LinePosition - 1); // the reader means the name, the build the bracket before it
            }
            pattern ??= include.Contains('*') || include.Contains('$') ? (place.LineNumber, place.LinePosition - 1) : null;
        }
        return pattern;
    }

    private static bool Same(string left, string right) => left.Replace('\\', '/') == right.Replace('\\', '/');
}
