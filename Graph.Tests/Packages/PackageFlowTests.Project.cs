using System.IO.Compression;
using System.Text.RegularExpressions;
using Graphene.Codegen;
using Graphene.Interop.Onnx;
using Graphene.Runtime;

namespace Graphene.Tests.Packages;

/// <content>The project that is built, and what is read of builds and packages.</content>
internal sealed partial class PackageFlowTests
{
    private static string AnswerOfASession()
    {
        using OnnxModelFile file = OnnxModelFile.Load(Model);
        OnnxModel model = OnnxImporter.Import(file);
        using var session = new Session(model.Module, GraphCompiler.Cpu());
        byte[] image = [.. Enumerable.Range(0, 784).Select(i => (byte)(i * 7))];
        Literal answer = session.Run(["logits"], new Dictionary<string, Feed> { ["image"] = Feed.Of<byte>(image) })[0];
        return Convert.ToHexString(answer.Bytes.Span);
    }

    private DotnetCommand Build() => _feed.Run("app", "build", "-c", "Release", "--no-restore", "-v:n", "-tl:off", "-nologo");

    private static string[] Compiled(DotnetCommand build) =>
        [.. Compilings().Matches(build.Output).Select(m => m.Groups[1].Value).Distinct()];

    private void AddItem(string item) =>
        File.WriteAllText(_project, File.ReadAllText(_project).Replace(
            "</Project>", $"  <ItemGroup>{item}</ItemGroup>\n</Project>", StringComparison.Ordinal));

    // As after the second test.
    private void RestoreItems()
    {
        string text = File.ReadAllText(_project);
        foreach (string part in text.Split('\n').Where(l => l.Contains("<ItemGroup><GrapheneModel", StringComparison.Ordinal)))
        {
            text = text.Replace(part + "\n", "", StringComparison.Ordinal);
        }
        File.WriteAllText(_project, text);
    }

    private string[] Entries(string package)
    {
        using ZipArchive archive = ZipFile.OpenRead(Path.Combine(_feed.Feed, package));
        return [.. archive.Entries.Select(e => e.FullName).Order(StringComparer.Ordinal)];
    }

    private string[] Dependencies(string package)
    {
        using ZipArchive archive = ZipFile.OpenRead(Path.Combine(_feed.Feed, package));
        ZipArchiveEntry nuspec = archive.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        using var reader = new StreamReader(nuspec.Open());
        return [.. DependencyIds().Matches(reader.ReadToEnd()).Select(m => m.Groups[1].Value)];
    }

    [GeneratedRegex("<dependency id=\"([^\"]+)\"")]
    private static partial Regex DependencyIds();

    [GeneratedRegex(@"Compiling (\S+) for ")]
    private static partial Regex Compilings();

    // Lines such as "       12 ms  GrapheneCompile                            1 calls".
    [GeneratedRegex(@"^\s*(\d+) ms\s+Graphene\w+\s", RegexOptions.Multiline)]
    private static partial Regex Times();

    [GeneratedRegex(@": warning \w+\d+:")]
    private static partial Regex Warnings();
}
