using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>What each pass does, as IR text in and IR text out, one idea per file in Golden/PASS.</summary>
[TestFixture]
public sealed class GoldenTests
{
    private static readonly string Folder = RepositoryRoot.Combine("Graph.Tests", "Golden");

    private static IEnumerable<TestCaseData> Files =>
        Directory.EnumerateFiles(Folder, "*.hlo", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(GoldenFile.Read).Select(file => new TestCaseData(file).SetArgDisplayNames(file.ToString()));

    [TestCaseSource(nameof(Files))]
    public void PassGivesTheExpectedText(object golden)
    {
        var file = (GoldenFile)golden;
        string actual = Printer.Print(Run(file, Parser.ParseModule(file.Input, file.Path)).Entry);
        if (GoldenFile.Blesses)
        {
            file.Bless(actual);
            return;
        }
        Assert.That(actual, Is.EqualTo(file.Expected), $"GRAPHENE_BLESS=1 rewrites the expected half of {file.Path}");
    }

    [TestCaseSource(nameof(Files))]
    public void PassKeepsTheResults(object golden)
    {
        var file = (GoldenFile)golden;
        Module module = Parser.ParseModule(file.Input, file.Path);
        Module optimized = Run(file, module);
        if (module.Symbols.Count > 0)
        {
            Dictionary<string, long> dims = module.Symbols.ToDictionary(s => s.Name, s => Math.Clamp(3, s.Min, s.Max));
            (module, optimized) = (Specialization.Apply(module, dims), Specialization.Apply(optimized, dims));
        }
        double tolerance = file.HasOption("inexact") || file.HasOption("fast-math") ? 1e-5 : 0;
        Optimizing.AssertSameResults(module, optimized, seed: 1, tolerance);
    }

    [TestCaseSource(nameof(Files))]
    public void SecondRunFindsNothing(object golden)
    {
        var file = (GoldenFile)golden;
        Module once = Run(file, Parser.ParseModule(file.Input, file.Path));
        Assert.That(Run(file, once), Is.SameAs(once));
    }

    [Test]
    public void EveryPassHasGoldens()
    {
        foreach (string pass in Pipelines.Default().Passes.Select(p => p.Name).Distinct())
        {
            string folder = Path.Combine(Folder, pass);
            int files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.hlo").Length : 0;
            Assert.That(files, Is.GreaterThan(1), $"{folder} needs a case where the pass does something and one where it must not");
        }
    }

    [Test]
    public void EveryFolderIsAPass() => Assert.That(
        Directory.GetDirectories(Folder).Select(Path.GetFileName), Is.SubsetOf(Pipelines.Default().Passes.Select(p => p.Name)));

    private static Module Run(GoldenFile file, Module module)
    {
        string name = Path.GetFileName(Path.GetDirectoryName(file.Path)!);
        IGraphPass pass = Pipelines.Default().Passes.First(p => p.Name == name);
        return Optimizing.Run(pass, module, new OptimizerOptions
        {
            FastMath = file.HasOption("fast-math"),
            FoldBatchNorm = !file.HasOption("exact"),
            Winograd = file.HasOption("winograd") ? WinogradTiles.TwoByTwo : WinogradTiles.None,
            ArenaBudgetInBytes = file.HasOption("small-arena") ? 5000 : null,
            Machine = file.HasOption("gpu") ? MachineTraits.Gpu : MachineTraits.Processor,
        });
    }
}
