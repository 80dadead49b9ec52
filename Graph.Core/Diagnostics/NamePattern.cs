using System.Text.RegularExpressions;

namespace Graphene;

/// <summary>A regular expression over names.</summary>
/// <remarks>
/// Without backtracking, so that no pattern can stall the compiler. A type of its own, so that the library of regular expressions is
/// loaded by those processes alone that have one: switches are read at every start.
/// </remarks>
public sealed class NamePattern
{
    private readonly Regex _expression;

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The regular expression.</param>
    /// <exception cref="ArgumentException">It is malformed.</exception>
    /// <exception cref="NotSupportedException">It looks around or back.</exception>
    public NamePattern(string text) => _expression = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    /// <summary>Whether the pattern is found in a name.</summary>
    public bool IsMatch(string name) => _expression.IsMatch(name);

    /// <inheritdoc/>
    public override string ToString() => _expression.ToString();
}
