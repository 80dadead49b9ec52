using System.Globalization;
using Graphene.Codegen.Aot;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The models of the benchmarks give in Node what they give in a session, on the inputs that lie beside them.</summary>
/// <remarks>
/// From the folder that <c>GRAPHENE_MODELS</c> names: <c>GRAPHENE_MODELS=dir dotnet test --filter WasmBenchmarkModelTests</c>. Without
/// vectors the large ones take minutes.
/// </remarks>
internal sealed class WasmBenchmarkModelTests
{
    private const double Tolerance = 1e-3;

    private static readonly string? Folder = Environment.GetEnvironmentVariable("GRAPHENE_MODELS");

    private static IEnumerable<TestCaseData> Benchmarks =>
        from model in Folder is null ? [] : (string[])[.. Directory.GetFiles(Folder, "*.onnx").Order(StringComparer.Ordinal)]
        from target in (string[])["wasm32", "wasm32-simd"]
        select new TestCaseData(Path.GetFileNameWithoutExtension(model), target);

    [TestCaseSource(nameof(Benchmarks))]
    public void BenchmarksGiveTheSessionsAnswers(string model, string target)
    {
        NodeEngine.Require();
        Module module = OnnxImporter.Import(Path.Combine(Folder!, model + ".onnx")).Module;
        Literal[] inputs = [.. module.InputNames.Select(name => NpyFile.Read(Path.Combine(Folder!, model + ".inputs", name + ".npy")))];
        Literal[] expected = CompiledModule.Run(module, inputs);
        using var folder = new TemporaryFolder();
        WasmRun.Compile(module, folder, AotTarget.Parse(target).Variants[0].Machine);
        (Literal[][] actual, NodeFigures figures) = WasmRun.Run(
            folder, module.InputNames, [expected], [inputs], [DimsOf(module, inputs)], repeat: 2);
        double worst = expected.Zip(actual[0]).Max(p => Difference(p.First, p.Second));
        TestContext.Progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{model} on {target}: largest difference {worst:G3} of the largest magnitude, {figures.best:F2} ms, "
                + $"{figures.memory >> 20} MiB"));
        Assert.That(worst, Is.LessThan(Tolerance));
    }

    // What each symbol is, from a dimension that is one.
    private static Dictionary<string, long> DimsOf(Module module, IReadOnlyList<Literal> inputs) =>
        module.Entry.Parameters.Zip(inputs).SelectMany(p => p.First.Shape.Zip(p.Second.Shape))
            .Where(d => d.First.AsSymbol is not null)
            .DistinctBy(d => d.First.AsSymbol)
            .ToDictionary(d => d.First.AsSymbol!.Name, d => d.Second.Value);

    private static double Difference(Literal expected, Literal actual)
    {
        double[] e = expected.ToDoubles();
        double[] a = actual.ToDoubles();
        double largest = Math.Max(1e-30, e.Max(Math.Abs));
        return e.Zip(a).Max(p => p.First.Equals(p.Second) ? 0 : double.IsNaN(p.First - p.Second) ? double.PositiveInfinity
            : Math.Abs(p.First - p.Second)) / largest;
    }
}
