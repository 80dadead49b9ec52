using System.Collections.Immutable;
using Graphene.Build;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Graphene.Tests.Packages;

/// <summary>The generator on signatures and code, and what the C# compiler makes of the result.</summary>
/// <param name="Sources">What was generated, by file name.</param>
/// <param name="Reported">The generator's own errors.</param>
/// <param name="Problems">Errors and warnings of the compilation, documentation included.</param>
internal sealed record GeneratorRun(
    IReadOnlyDictionary<string, string> Sources, ImmutableArray<Diagnostic> Reported, ImmutableArray<Diagnostic> Problems)
{
    // What the tests run on, which has the runtime's assemblies as well.
    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => IsNeeded(Path.GetFileName(p)))
            .Select(p => MetadataReference.CreateFromFile(p)),
    ];

    private static bool IsNeeded(string file) => file.StartsWith("System.", StringComparison.Ordinal) ||
        file is "Graphene.dll" or "Graphene.Runtime.dll" or "Microsoft.Extensions.Logging.Abstractions.dll"
            or "mscorlib.dll" or "netstandard.dll";

    /// <summary>Runs it.</summary>
    /// <param name="code">The project's own code.</param>
    /// <param name="signatures">The contents of signature files.</param>
    public static GeneratorRun Of(string code, params SignatureSample[] signatures) =>
        OfText(code, [.. signatures.Select(s => s.ToString())]);

    /// <summary>Runs it on files that need not be signatures.</summary>
    public static GeneratorRun OfText(string code, params string[] signatures)
    {
        CSharpParseOptions options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview)
            .WithDocumentationMode(DocumentationMode.Diagnose);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Made", [CSharpSyntaxTree.ParseText(code, options, "User.cs")], References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()],
            signatures.Select((s, i) => new SignatureFileText($"obj/model{i}.graphene.signature", s)), options);
        driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation made, out _);
        GeneratorDriverRunResult result = driver.GetRunResult();
        return new GeneratorRun(
            result.Results.SelectMany(r => r.GeneratedSources).ToDictionary(s => s.HintName, s => s.SourceText.ToString()),
            result.Diagnostics,
            [.. made.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning && !(d.Id == "CS1591" && IsUsers(d)))]);
    }

    // The code of tests needs no documentation; what is generated does.
    private static bool IsUsers(Diagnostic diagnostic) => diagnostic.Location.SourceTree?.FilePath == "User.cs";

    private sealed class SignatureFileText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
