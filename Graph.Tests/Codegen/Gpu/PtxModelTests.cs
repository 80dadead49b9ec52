using System.Globalization;
using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using Graphene.Interop.Onnx;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>The kernels of the benchmarks' models assemble; says what they take.</summary>
/// <remarks>
/// From the folder that <c>GRAPHENE_MODELS</c> names: <c>GRAPHENE_MODELS=dir dotnet test --filter PtxModelTests</c>.
/// </remarks>
internal sealed class PtxModelTests
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("GRAPHENE_MODELS");

    private static IEnumerable<TestCaseData> Models =>
        from model in Folder is null ? [] : (string[])[.. Directory.GetFiles(Folder, "*.onnx").Order(StringComparer.Ordinal)]
        from architecture in (string[])["sm_80", "sm_90a"]
        select new TestCaseData(Path.GetFileNameWithoutExtension(model), architecture);

    [TestCaseSource(nameof(Models))]
    public void ModelsAssemble(string model, string architecture)
    {
        Ptxas.Require();
        var target = PtxTarget.Parse(architecture);
        using var compiler = new PtxCompiler(target);
        foreach (Kernel kernel in GpuKernels.Of(OnnxImporter.Import(Path.Combine(Folder!, model + ".onnx")).Module, target.Gpu))
        {
            compiler.Add(kernel);
        }
        PtxModule module = compiler.Finish();
        IReadOnlyList<PtxasReport> reports = Ptxas.Assemble(module.Text, architecture);
        Assert.That(reports, Has.Count.EqualTo(module.Kernels.Length));
        PtxasReport[] spilling = [.. reports.Where(r => r.SpilledBytes > 0)];
        TestContext.Progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{model} {architecture}: {reports.Count} kernels, {module.Text.Length >> 10} KiB, "
            + $"at most {reports.Max(r => r.Registers)} registers, "
            + $"{reports.Count(r => r.StackBytes > 0)} with a stack, {spilling.Length} spill"));
        Assert.That(spilling, Is.Empty);
    }
}
