using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Graphene.Build.Naming;

/// <summary>Makes identifiers out of the names that other frameworks give tensors.</summary>
internal static class Identifiers
{
    private const string FirstOutput = ":0";

    /// <summary>The name as a member: <c>past_key_values.0.key</c> becomes <c>PastKeyValues0Key</c>.</summary>
    /// <param name="name">Any text.</param>
    /// <returns>
    /// A valid identifier that begins with a capital letter where letters have that, or empty when nothing of
    /// the name can stay.
    /// </returns>
    public static string Pascal(string name)
    {
        // TensorFlow writes the number of an op's output behind its name; the first one says nothing.
        if (name.EndsWith(FirstOutput, System.StringComparison.Ordinal))
        {
            name = name.Substring(0, name.Length - FirstOutput.Length);
        }
        var text = new StringBuilder();
        foreach (string word in Words(name))
        {
            if (text.Length > 0 && char.IsDigit(text[text.Length - 1]) && char.IsDigit(word[0]))
            {
                text.Append('_'); // 1.0 and 10 stay apart
            }
            text.Append(Capitalized(word));
        }
        if (text.Length > 0 && !SyntaxFacts.IsIdentifierStartCharacter(text[0]))
        {
            text.Insert(0, '_');
        }
        return text.ToString();
    }

    /// <summary>A member's name as a parameter: the first word small, and an @ before what is a keyword.</summary>
    public static string Camel(string pascal)
    {
        int capitals = pascal.TakeWhile(char.IsUpper).Count();
        int small = capitals > 1 && capitals < pascal.Length && char.IsLower(pascal[capitals]) ? capitals - 1 : capitals;
        string name = pascal.Substring(0, small).ToLowerInvariant() + pascal.Substring(small);
        bool isKeyword = SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None ||
            SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None;
        return isKeyword ? "@" + name : name;
    }

    /// <summary>Whether text is an identifier that code can use as it is.</summary>
    public static bool IsValid(string name) =>
        SyntaxFacts.IsValidIdentifier(name) && SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None;

    private static IEnumerable<string> Words(string name)
    {
        var word = new StringBuilder();
        foreach (char c in name)
        {
            if (c != '_' && IsPart(c, isFirst: word.Length == 0))
            {
                word.Append(c);
            }
            else if (word.Length > 0)
            {
                yield return word.ToString();
                word.Clear();
            }
        }
        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    // Marks belong to the letter before them; invisible characters belong nowhere.
    private static bool IsPart(char c, bool isFirst) =>
        SyntaxFacts.IsIdentifierPartCharacter(c) && CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.Format &&
        (!isFirst || char.IsLetterOrDigit(c));

    private static string Capitalized(string word) =>
        char.ToUpperInvariant(word[0]) +
        (word.Length > 2 && word.All(c => !char.IsLower(c)) ? word.Substring(1).ToLowerInvariant() : word.Substring(1));
}
