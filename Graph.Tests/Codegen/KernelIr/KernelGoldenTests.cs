using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>What lowering makes of small graphs for AVX2, as IR text in and Kernel IR text out, one idea per file in Golden.</summary>
internal sealed class KernelGoldenTests
{
    private static readonly string Folder = RepositoryRoot.Combine("Graph.Tests", "Codegen", "KernelIr", "Golden");

    private static IEnumerable<TestCaseData> Files =>
        Directory.EnumerateFiles(Folder, "*.hlo").Order(StringComparer.Ordinal)
            .Select(GoldenFile.Read).Select(file => new TestCaseData(file).SetArgDisplayNames(file.ToString()));

    [TestCaseSource(nameof(Files))]
    public void LoweringGivesTheExpectedKernels(object golden)
    {
        var file = (GoldenFile)golden;
        var lowered = new InterpretedModule(Parser.ParseModule(file.Input, file.Path), LlvmTarget.X64V3);
        string actual = string.Join('\n', lowered.Kernels.Select(KernelPrinter.Print));
        if (GoldenFile.Blesses)
        {
            file.Bless(actual);
            return;
        }
        Assert.That(actual, Is.EqualTo(file.Expected), $"GRAPHENE_BLESS=1 rewrites the expected half of {file.Path}");
    }
}
