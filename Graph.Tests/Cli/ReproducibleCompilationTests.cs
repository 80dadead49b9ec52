using System.Globalization;
using Graphene.Cli;
using Graphene.Cli.Conformance;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>A model compiled twice gives the same bytes, whatever the folder and the language of the machine.</summary>
/// <remarks>Small public models in each run of the suite; all of them, which takes minutes, with <c>GRAPHENE_STRESS</c>.</remarks>
[NonParallelizable] // the culture and the folder are the process's
internal sealed class ReproducibleCompilationTests
{
    private const string Folder = "conformance/models";

    private static IEnumerable<TestCaseData> Models()
    {
        if (SharedMaterial.TryLocate(Folder) is not { } folder)
        {
            return [new TestCaseData("any").SetArgDisplayNames("no models here")];
        }
        bool takesAll = Environment.GetEnvironmentVariable("GRAPHENE_STRESS") is { Length: > 0 };
        return OnnxCase.Find(folder).Where(m => takesAll || ConformanceModelTests.Small.Contains(m.Name))
            .Select(m => new TestCaseData(m.Name));
    }

    [TestCaseSource(nameof(Models))]
    public void TwiceTheSameBytes(string name)
    {
        string model = new OnnxCase(name, Path.Combine(SharedMaterial.Require(Folder), name)).ModelPath;
        using var folder = new TemporaryFolder();
        var elsewhere = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (elsewhere.NumberFormat.NumberDecimalSeparator, elsewhere.NumberFormat.NegativeSign) = (",", "~");

        string[] first = Compile(model, folder.Combine("a"), CultureInfo.InvariantCulture);
        string[] second = Compile(model, folder.Combine("b/deeper"), elsewhere);

        Assert.That(first, Has.Length.GreaterThanOrEqualTo(3));
        Assert.That(first.Select(Path.GetFileName), Is.EqualTo(second.Select(Path.GetFileName)));
        foreach ((string a, string b) in first.Zip(second))
        {
            Assert.That(File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b)), $"{Path.GetFileName(a)} differs");
        }
    }

    // A bundle, an object and its header, for x86-64 with all variants.
    private static string[] Compile(string model, string folder, CultureInfo culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        string folderBefore = Environment.CurrentDirectory;
        try
        {
            Directory.CreateDirectory(folder);
            (CultureInfo.CurrentCulture, Environment.CurrentDirectory) = (culture, folder);
            foreach ((string output, string target) in new[] { ("model.graphene", "x86-64"), ("model.o", "x86-64") })
            {
                CliRun run = CliRun.Of("compile", model, "-o", output, "--target", target);
                Assume.That(run.Error, Does.Not.Contain("GR4012"), "what it computes depends on values that are not known here");
                Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
            }
        }
        finally
        {
            (CultureInfo.CurrentCulture, Environment.CurrentDirectory) = (before, folderBefore);
        }
        return [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal)];
    }
}
