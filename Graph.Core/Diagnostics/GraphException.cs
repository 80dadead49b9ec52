using System.Text;

namespace Graphene;

/// <summary>An error in what the user built, fed or loaded: what is wrong, where, why, and how to mend it.</summary>
public sealed class GraphException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="id">Its identity.</param>
    /// <param name="what">What is wrong, with the values involved; starts with the op or file it is about.</param>
    /// <param name="where">The node, file or feed, with the user's source line when known.</param>
    /// <param name="why">The rule.</param>
    /// <param name="fix">What to do.</param>
    /// <param name="inner">The cause, when another error led here.</param>
    public GraphException(
        DiagnosticId id, string what, string? where = null, string? why = null, string? fix = null, Exception? inner = null)
        : base(Format(id, what, where, why, fix), inner)
    {
        Id = id;
        What = what;
        Where = where;
        Why = why;
        Fix = fix;
    }

    /// <summary>The identity of the error.</summary>
    public DiagnosticId Id { get; }

    /// <summary>What is wrong.</summary>
    public string What { get; }

    /// <summary>Where it is.</summary>
    public string? Where { get; }

    /// <summary>The rule that was broken.</summary>
    public string? Why { get; }

    /// <summary>How to mend it.</summary>
    public string? Fix { get; }

    private static string Format(DiagnosticId id, string what, string? where, string? why, string? fix)
    {
        var text = new StringBuilder($"{id.Code} {what}");
        Append(text, "at ", where);
        Append(text, "why", why);
        Append(text, "fix", fix);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string label, string? line)
    {
        if (line is not null)
        {
            text.Append('\n').Append("  ").Append(label).Append("  ").Append(line);
        }
    }
}
