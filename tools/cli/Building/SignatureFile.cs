using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Cli.Building;

/// <summary>Writes what the source generator needs to know about a bundle.</summary>
/// <remarks>
/// Lines of words between tabs, because the generator runs inside of other people's compilers, where a parser of JSON would be a
/// dependency. <c>Graph.Build/SignatureText.cs</c> reads it; both change together, with the version.
/// </remarks>
internal static class SignatureFile
{
    private const int Version = 1;

    /// <summary>Writes the file; nothing is written when it would say the same.</summary>
    public static void Write(BuildRequest request, string bundle, IReadOnlyList<(string Name, ExecutablePlan Plan)> functions)
    {
        var text = new StringBuilder();
        Line(text, "graphene-signature", Version.ToString(CultureInfo.InvariantCulture));
        Line(text, "model", Path.GetFileName(request.Model));
        Line(text, "bundle", Path.GetFileName(request.Bundle));
        Line(text, "sha256", HashOf(bundle));
        Line(text, "class", request.Namespace, request.ClassName, request.Access);
        foreach ((string name, ExecutablePlan plan) in functions)
        {
            Line(text, "function", name, ModelSignature.Describe(plan.Inputs, plan.Outputs));
            foreach (DimSymbol symbol in ModelSignature.Symbols(plan.Inputs))
            {
                Line(text, "symbol", symbol.Name, Number(symbol.Min), Number(symbol.Max));
            }
            foreach (InputSpec input in plan.Inputs)
            {
                Port(text, "input", input.Name, input.Type);
            }
            foreach (OutputSpec output in plan.Outputs)
            {
                Port(text, "output", output.Name, output.Type);
            }
        }
        File.WriteAllText(request.Signature, text.ToString());
    }

    // Each dimension is a number, "=NAME" for a symbol alone, or "?" and an expression over symbols.
    private static void Port(StringBuilder text, string kind, string name, TensorType type) => Line(
        text,
        [
            kind, name, type.DType.Name(),
            .. type.Shape.Select(d => d.IsStatic ? Number(d.Value) : d.AsSymbol is { } symbol ? $"={symbol.Name}" : $"?{d}"),
        ]);

    private static void Line(StringBuilder text, params IEnumerable<string> words) =>
        text.AppendJoin('\t', words.Select(Escape)).Append('\n');

    private static string Escape(string word) => word
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string HashOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
