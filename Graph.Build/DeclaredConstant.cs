using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Graphene.Build;

/// <summary>A constant that the project declares in a partial class and that may be about a model.</summary>
/// <param name="Class">The class with its namespace.</param>
/// <param name="Name">The constant.</param>
/// <param name="Value">Its value as C# writes it.</param>
/// <param name="Path">The file.</param>
/// <param name="Span">The place in it.</param>
/// <param name="Lines">The place as lines.</param>
internal sealed record DeclaredConstant(string Class, string Name, string Value, string Path, TextSpan Span, LinePositionSpan Lines)
{
    /// <summary>Whether syntax can be such a constant; asked of every node, so it looks at names alone.</summary>
    public static bool IsCandidate(SyntaxNode node) =>
        node is VariableDeclaratorSyntax
        {
            Identifier.ValueText: { } name,
            Parent.Parent: FieldDeclarationSyntax { Parent: ClassDeclarationSyntax type } field,
        } &&
        (name.EndsWith(Writing.ConstantWriter.Shape, System.StringComparison.Ordinal) ||
            name.EndsWith(Writing.ConstantWriter.Length, System.StringComparison.Ordinal)) &&
        field.Modifiers.Any(SyntaxKind.ConstKeyword) && type.Modifiers.Any(SyntaxKind.PartialKeyword);

    /// <summary>Reads the constant's value.</summary>
    public static DeclaredConstant? Read(GeneratorSyntaxContext context, System.Threading.CancellationToken cancellation) =>
        context.SemanticModel.GetDeclaredSymbol(context.Node, cancellation) is IFieldSymbol { HasConstantValue: true } field
            ? new DeclaredConstant(
                field.ContainingType.ToDisplayString(), field.Name,
                field.ConstantValue is string text
                    ? SymbolDisplay.FormatLiteral(text, quote: true)
                    : System.Convert.ToString(field.ConstantValue, System.Globalization.CultureInfo.InvariantCulture) ?? "",
                context.Node.SyntaxTree.FilePath, context.Node.Span, context.Node.GetLocation().GetLineSpan().Span)
            : null;

    /// <summary>The place for an error.</summary>
    public Location Location => Location.Create(Path, Span, Lines);
}
