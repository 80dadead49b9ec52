using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Codegen.Ptx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Kernels with threads as LLVM IR and as PTX, one idea per file in Golden: for sm_80, and for sm_90a those in the
/// folder of that name.
/// </summary>
internal sealed class PtxGoldenTests
{
    // The text is this version's: others choose other instructions.
    private const int VersionOfGoldens = 19;

    private const string Separator = "// PTX\n";

    private static readonly string Folder = RepositoryRoot.Combine("Graph.Tests", "Codegen", "Gpu", "Golden");

    private static IEnumerable<TestCaseData> Files =>
        Directory.EnumerateFiles(Folder, "*.kernel", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(GoldenFile.Read).Select(file => new TestCaseData(file).SetArgDisplayNames(file.ToString()));

    private static PtxTarget TargetOf(GoldenFile file) => PtxTarget.Parse(IsForHopper(file) ? "sm_90a" : "sm_80");

    private static bool IsForHopper(GoldenFile file) => Path.GetFileName(Path.GetDirectoryName(file.Path)) == "sm_90a";

    [TestCaseSource(nameof(Files))]
    public void KernelsBecomeTheExpectedText(object golden)
    {
        var file = (GoldenFile)golden;
        Kernel kernel = Read(file);
        using var compiler = new PtxCompiler(TargetOf(file), threads: 1);
        compiler.Add(kernel);
        PtxModule module = compiler.Finish();
        string actual = Comparable(module.Ir.Single() + Separator + module.Text);
        if (GoldenFile.Blesses)
        {
            file.Bless(actual);
            return;
        }
        string expected = file.Expected;
        if (LlvmLibrary.Load().Version.Major != VersionOfGoldens)
        {
            (actual, expected) = (actual.Split(Separator)[0], expected.Split(Separator)[0]);
        }
        Assert.That(actual, Is.EqualTo(expected), $"GRAPHENE_BLESS=1 rewrites the expected half of {file.Path}");
    }

    [TestCaseSource(nameof(Files))]
    public void KernelsAssembleWithoutSpills(object golden)
    {
        Ptxas.Require();
        foreach (string architecture in IsForHopper((GoldenFile)golden) ? (string[])["sm_90a"] : ["sm_80", "sm_90a"])
        {
            using var compiler = new PtxCompiler(PtxTarget.Parse(architecture), threads: 1);
            PtxKernel kernel = compiler.Add(Read((GoldenFile)golden));
            PtxasReport report = Ptxas.Assemble(compiler.Finish().Text, architecture, out string[] warnings).Single();
            Assert.That(warnings, Is.Empty);
            Assert.That(report.SpilledBytes, Is.Zero, report.ToString());
            Assert.That(report.StackBytes, Is.Zero, report.ToString());
            Assert.That(report.SharedBytes, Is.EqualTo(kernel.SharedBytes - kernel.DynamicSharedBytes));
        }
    }

    private static Kernel Read(GoldenFile file)
    {
        Kernel kernel = KernelParser.Parse(file.Input, file.Path);
        KernelVerifier.Verify(kernel);
        return kernel;
    }

    // Without blanks at the ends of lines, and without two empty lines in a row.
    private static string Comparable(string text)
    {
        string clean = string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()));
        while (clean.Contains("\n\n\n", StringComparison.Ordinal))
        {
            clean = clean.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);
        }
        return clean.TrimEnd() + "\n";
    }
}
