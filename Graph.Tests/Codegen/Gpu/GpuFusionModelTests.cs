using System.Globalization;
using Graphene.Codegen;
using Graphene.Interop.Onnx;
using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// What the benchmarks' models become on a GPU when the optimizer knows that it is one, and when it decides
/// as for a processor.
/// </summary>
/// <remarks>
/// From the folder that <c>GRAPHENE_MODELS</c> names: <c>GRAPHENE_MODELS=dir dotnet test --filter GpuFusionModelTests</c>.
/// </remarks>
internal sealed class GpuFusionModelTests
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("GRAPHENE_MODELS");

    private static readonly GpuTarget Gpu = new(90, true);

    private static IEnumerable<TestCaseData> Models =>
        from model in Folder is null ? [] : (string[])[.. Directory.GetFiles(Folder, "*.onnx").Order(StringComparer.Ordinal)]
        select new TestCaseData(Path.GetFileNameWithoutExtension(model));

    [TestCaseSource(nameof(Models))]
    public void ModelsMoveNoMoreThanBefore(string model)
    {
        Module module = OnnxImporter.Import(Path.Combine(Folder!, model + ".onnx")).Module;
        Work asProcessor = WorkOf(module, GpuTarget.Adapt(OptimizerOptions.Default) with { Machine = MachineTraits.Processor });
        Work asGpu = WorkOf(module, GpuTarget.Adapt(OptimizerOptions.Default));
        TestContext.Progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {model} | {asProcessor} | {asGpu} |"));
        IEnumerable<string> more = asGpu.Kinds.Except(asProcessor.Kinds).Select(k => "  + " + k);
        foreach (string line in more.Concat(asProcessor.Kinds.Except(asGpu.Kinds).Select(k => "  - " + k)))
        {
            TestContext.Progress.WriteLine(line);
        }
        Assert.That(asGpu.Kernels, Is.LessThanOrEqualTo(asProcessor.Kernels));
        Assert.That(asGpu.Bytes, Is.LessThanOrEqualTo(asProcessor.Bytes));
    }

    private static Work WorkOf(Module module, OptimizerOptions options)
    {
        Module optimized = GraphOptimizer.Run(module, options);
        var catalog = new KernelCatalog(KernelTarget.Of(Gpu), optimized);
        MemoryPlan plan = BufferAssigner.Assign(optimized, new MemoryPlanOptions { Workspaces = catalog.Workspaces });
        int kernels = 0;
        long bytes = 0;
        var kinds = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (RunStep step in Steps(plan.Entry).OfType<RunStep>().Where(s => s.Node.Op is not HostCallOp))
        {
            IReadOnlyList<LoweredKernel> lowered = catalog.Kernels(step.Node, i => step.Results.Contains(step.Operands[i]));
            kernels += lowered.Count;
            bytes += lowered.Sum(k => k.Kernel.Cost.Bytes.Substitute(Sizes(k)).Evaluate(Typical));
            string kind = Describe(step.Node);
            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
        }
        return new Work(kernels, bytes, [.. kinds.Select(k => $"{k.Value} x {k.Key}").Order(StringComparer.Ordinal)]);
    }

    private static long Typical(DimSymbol symbol) => Math.Clamp(64, symbol.Min, symbol.Max);

    private static Dictionary<DimSymbol, Dim> Sizes(LoweredKernel kernel) =>
        kernel.Kernel.Sizes.Zip(kernel.Sizes).ToDictionary(p => p.First, p => p.Second);

    private static IEnumerable<string> Computing(Computation body) =>
        body.PostOrder().Where(n => n.Op is not (ParameterOp or ConstantOp)).Select(n => n.Op.Name);

    private static string Describe(Node node) => node.Op is FusionOp fusion
        ? $"{fusion.Kind}: {string.Join(' ', Computing(fusion.Body))} -> {string.Join(", ", node.Types)}"
        : $"{node.Op.Name} -> {string.Join(", ", node.Types)}";

    private static IEnumerable<PlanStep> Steps(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => Steps(loop.Condition).Concat(Steps(loop.Body)),
        BranchStep branch => branch.Branches.SelectMany(Steps),
        _ => [step],
    });

    private sealed record Work(int Kernels, long Bytes, string[] Kinds)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kernels} | {Bytes / 1e6:0.0} MB");
    }
}
