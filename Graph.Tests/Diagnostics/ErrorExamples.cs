using System.Runtime.CompilerServices;

namespace Graphene.Tests.Diagnostics;

/// <summary>The C# that provokes each error that IR text cannot; docs/errors shows it as it stands here.</summary>
internal static partial class ErrorExamples
{
    /// <summary>One example for each error of the authoring API, the files and the runtime.</summary>
    public static IReadOnlyList<ErrorExample> All { get; } =
    [
        .. Building(), .. Files(), .. Gradients(), .. Running(), .. Bundles(), .. Training(), .. Layers(), .. Hosting(),
        .. Native(), .. Wasm(), .. Gpu(),
        .. Ptx(), .. Tuning(),
    ];

    private static ErrorExample Of(DiagnosticId id, Action run, [CallerArgumentExpression(nameof(run))] string source = "") =>
        new(id, "csharp", StatementsOf(source), run);

    // The statements of a lambda without the lambda, at the left margin.
    private static string StatementsOf(string lambda)
    {
        string[] lines = lambda.ReplaceLineEndings("\n")["() =>".Length..].Trim().Split('\n');
        if (lines is not ["{", .. var inside, _])
        {
            return lines.Length == 1 ? $"{lines[0]};" : throw new InvalidOperationException("an example of several lines is a block");
        }
        int indent = inside[0].Length - inside[0].TrimStart().Length;
        return string.Join('\n', inside.Select(l => l.Length < indent ? l.Trim() : l[indent..]));
    }
}
