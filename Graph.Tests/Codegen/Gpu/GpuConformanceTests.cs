using System.Globalization;
using System.Numerics.Tensors;
using Graphene.Codegen;
using Graphene.Cli.Conformance;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Public suites and models through the schedules for a GPU, in the interpreter.</summary>
/// <remarks>
/// <c>GRAPHENE_GPU_CASES=1</c> looks at every case of the node tests instead of one of so many; <c>GRAPHENE_GPU_WATCH=1</c> looks for races
/// in every task of large models, too.
/// </remarks>
internal sealed class GpuConformanceTests
{
    private const string Suite = "conformance/onnx_node_tests.tar.xz";
    private const string Models = "conformance/models";
    private const int Parts = 10;

    // Of the tasks of large models one of so many is watched: the largest kernels have thousands.
    private const int WatchedOfLarge = 64;

    // What is done in a few seconds.
    private static readonly HashSet<string> Small = new(StringComparer.Ordinal)
    {
        "deconv-group", "lgbm-regressor", "linear-classifier-ml", "mlnet-twoinput", "mnist-cntk-op8", "qrelu-1", "qsigmoid-1", "qtdnn",
    };

    private static int Step =>
        int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_GPU_CASES"), out int step) && step > 0 ? step : 40;

    private static WatchedTasks Watched =>
        new(int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_GPU_WATCH"), out int of) && of > 0 ? of : WatchedOfLarge);

    private static IEnumerable<string> SmallModels => ModelNames.Where(Small.Contains);

    private static IEnumerable<string> LargeModels => ModelNames.Where(m => !Small.Contains(m));

    private static IEnumerable<string> ModelNames => SharedMaterial.TryLocate(Models) is { } folder
        ? OnnxCase.Find(folder).Select(c => c.Name)
        : ["mnist-cntk-op8", "style-candy"]; // to be skipped with the reason

    [Test]
    public void NodeTestsPass([Range(0, Parts - 1)] int part)
    {
        string folder = SharedMaterial.RequireUnpacked(Suite);
        OnnxCase[] cases = [.. OnnxCase.Find(folder).Where((_, i) => i % (Parts * Step) == part * Step)];

        var failures = new List<string>();
        (int passed, int skipped) = (0, 0);
        foreach (OnnxCase test in cases)
        {
            var gpu = new InterpretedGpuCompiler();
            CaseOutcome outcome = new OnnxCaseRunner(gpu, t => t).Run(test);
            passed += outcome.Result == CaseResult.Passed ? 1 : 0;
            skipped += outcome.Result == CaseResult.Skipped ? 1 : 0;
            if (outcome.Result == CaseResult.Failed)
            {
                failures.Add($"{test.Name}: {outcome.Reason}");
            }
        }
        TestContext.Out.WriteLine($"{passed} passed, {failures.Count} failed, {skipped} skipped");
        Assert.That(failures, Is.Empty, string.Join("\n\n", failures));
    }

    [TestCaseSource(nameof(SmallModels))]
    public void SmallModelsGiveTheStoredOutputs(string name) => RunModel(name, WatchedTasks.All);

    [Explicit("minutes")]
    [TestCaseSource(nameof(LargeModels))]
    public void LargeModelsDo(string name) => RunModel(name, Watched);

    [Test]
    public void TheDemosDigitsAreRead()
    {
        string folder = RepositoryRoot.Combine("tools", "cli", "demo");
        Literal images = First(NpyFile.Read(Path.Combine(folder, "digits-images.npy")), 8).Reshape(Shape.Of(8, 28, 28, 1));
        Literal labels = First(NpyFile.Read(Path.Combine(folder, "digits-labels.npy")), 8);
        Module module = OnnxImporter.Import(Path.Combine(folder, "digits.onnx")).Module;
        var gpu = new InterpretedGpuCompiler();

        Literal found = Run(gpu);

        LiteralAssert.AreClose(found, Run(new ReferenceCompiler()), 1e-4, 1e-3);
        ReadOnlySpan<float> logits = found.As<float>();
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<float> row = logits.Slice(10 * i, 10);
            Assert.That(row.IndexOf(TensorPrimitives.Max(row)), Is.EqualTo((int)labels[i].AsInteger), $"digit {i}");
        }
        TestContext.Out.WriteLine(string.Join('\n', gpu.Report));

        Literal Run(IGraphCompiler compiler)
        {
            using var session = new Session(module, compiler);
            return session.Run(module.OutputNames, new Dictionary<string, Feed> { [module.InputNames[0]] = images })[0];
        }
    }

    // The first of the elements along the first dimension.
    private static Literal First(Literal all, int count)
    {
        Dim[] others = [.. Enumerable.Range(1, all.Type.Rank - 1).Select(i => all.Shape[i])];
        TensorType type = all.Type with { Shape = Shape.From([count, .. others]) };
        return new Literal(type, all.Bytes[..(int)type.SizeInBytes.Value]);
    }

    private static void RunModel(string name, WatchedTasks watched)
    {
        var test = new OnnxCase(name, Path.Combine(SharedMaterial.Require(Models), name));
        var gpu = new InterpretedGpuCompiler(watched: watched);

        CaseOutcome outcome = new OnnxCaseRunner(gpu, t => t).Run(test);

        TestContext.Out.WriteLine(string.Join('\n', gpu.Report));
        if (outcome.Result == CaseResult.Failed)
        {
            Assert.Fail($"{outcome.Reason}\n{gpu.Explain(1e-3)}");
        }
        if (outcome.Result == CaseResult.Skipped)
        {
            Assert.Ignore(outcome.Reason);
        }
        (double error, double largest) = LargestError(gpu.Results, [.. test.DataSets().Select(d => OnnxCase.ReadTensors(d, "output"))]);
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {gpu.Runs} | {gpu.Time.TotalSeconds:0.0} | {error:g2} of {largest:g3} |"));
    }

    // The largest difference from an expected element, and the largest element of that output.
    private static (double Error, double Largest) LargestError(
        IEnumerable<IReadOnlyList<Literal>> results, IReadOnlyList<IReadOnlyList<Literal>> expected)
    {
        (double Error, double Largest) worst = (0, 0);
        foreach ((IReadOnlyList<Literal> found, IReadOnlyList<Literal> wanted) in results.Zip(expected))
        {
            foreach ((Literal a, Literal e) in found.Zip(wanted))
            {
                double[] elements = [.. Enumerable.Range(0, (int)e.ElementCount).Select(i => e[i].AsDouble)];
                double error = elements.Select((x, i) => Math.Abs(a[i].AsDouble - x)).Append(0).Max();
                double largest = elements.Select(Math.Abs).Append(0).Max();
                worst = error * worst.Largest >= worst.Error * largest ? (error, largest) : worst;
            }
        }
        return worst;
    }
}
