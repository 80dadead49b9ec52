using System.Collections.Immutable;
using System.Text;
using Graphene.Build.Writing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Graphene.Build;

/// <summary>Generates a typed class for each compiled model of a project.</summary>
/// <remarks>
/// It reads the signatures that the build wrote when it compiled the models, and compiles nothing itself: typing in an editor
/// costs nothing more.
/// </remarks>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<SignatureSource> signatures = context.AdditionalTextsProvider
            .Where(file => file.Path.EndsWith(SignatureText.Extension, StringComparison.OrdinalIgnoreCase))
            .Select((file, cancellation) => new SignatureSource(Path.GetFileName(file.Path), file.GetText(cancellation)?.ToString()));
        IncrementalValuesProvider<DeclaredConstant> constants = context.SyntaxProvider
            .CreateSyntaxProvider((node, _) => DeclaredConstant.IsCandidate(node), DeclaredConstant.Read)
            .Where(c => c is not null)
            .Select((c, _) => c!);
        context.RegisterSourceOutput(
            signatures.Collect().Combine(constants.Collect()), (output, both) => Generate(output, both.Left, both.Right));
    }

    private static void Generate(
        SourceProductionContext output, ImmutableArray<SignatureSource> signatures, ImmutableArray<DeclaredConstant> constants)
    {
        var made = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SignatureSource signature in signatures)
        {
            if (signature.Text is null)
            {
                continue; // the model was not compiled yet: an editor asks before the first build
            }
            try
            {
                ModelDescription model = SignatureText.Parse(signature.Text);
                string name = ClassWriter.FullName(model);
                if (made.TryGetValue(name, out string other))
                {
                    output.ReportDiagnostic(Diagnostic.Create(BuildDiagnostics.SameClass, Location.None, name, other, model.Model));
                    continue;
                }
                made.Add(name, model.Model);
                DeclaredConstant[] declared = [.. constants.Where(c => c.Class == name)];
                foreach (Diagnostic error in ConstantCheck.Run(model, declared))
                {
                    output.ReportDiagnostic(error);
                }
                string code = ClassWriter.Write(model, [.. declared.Select(c => c.Name)]);
                output.AddSource($"{name}.g.cs", SourceText.From(code, Encoding.UTF8));
            }
            catch (FormatException e)
            {
                output.ReportDiagnostic(Diagnostic.Create(BuildDiagnostics.BadSignature, Location.None, signature.Name, e.Message));
            }
        }
    }

    private sealed record SignatureSource(string Name, string? Text);
}
