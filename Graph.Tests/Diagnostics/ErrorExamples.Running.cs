using Graphene.Runtime;
using Graphene.Tests.Cli;
using Graphene.Tests.Runtime;
using Graphene.Tests.Support;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Running() =>
    [
        Of(RuntimeDiagnostics.WrongProcessor, () =>
        {
            ExecutablePlan plan = TestEntries.Plan("model") with { TargetTriple = "wasm32-unknown-unknown" };
            NativeProgram.Load(Executable.Create(plan, []));
        }),
        Of(RuntimeDiagnostics.BundleNotFound, () => BundleFolder.Find("digits.graphene", "/app/", "/app/runtimes/linux-x64/native/")),
        Of(RuntimeDiagnostics.WrongModel, () =>
        {
            using CompiledGraph graph = CompiledGraph.Load(SumBundle());
            _ = new ModelFunction(graph, "run", "(x: f32[batch,784]) -> (y: f32[batch,10])");
        }),
        Of(RuntimeDiagnostics.ShapeMismatch, () =>
        {
            using var session = new Session(Sum(), new ReferenceCompiler());
            session.Run("sum", new Dictionary<string, Feed> { ["x"] = new float[3], ["y"] = new float[4] });
        }),
        Of(RuntimeDiagnostics.UnboundSymbol, () =>
        {
            var n = new DimSymbol("n", 1, 100);
            var input = new InputSpec("x", new TensorType(DType.F32, [(Dim)n * n]));
            _ = new SignatureBinder([input], [], [n], []);
        }),
        Of(RuntimeDiagnostics.RunTimeCheck, () => RunFailingCheck()),
        Of(RuntimeDiagnostics.BadFeed, () =>
        {
            using var session = new Session(Sum(), new ReferenceCompiler());
            session.Run("sum", new Dictionary<string, Feed> { ["x"] = new float[3], ["y"] = new double[3] });
        }),
        Of(RuntimeDiagnostics.UnknownFetch, () =>
        {
            using var session = new Session(Sum(), new ReferenceCompiler());
            session.Run("product", new Dictionary<string, Feed> { ["x"] = new float[3], ["y"] = new float[3] });
        }),
        Of(RuntimeDiagnostics.NotFinite, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [3], "x");
            Tensor loss = ((x - 1).Log() * 2).ReduceSum();
            using var session = new Session(g, new ReferenceCompiler(), new SessionOptions { DebugNumerics = true });
            session.Run(loss, (x, new float[] { 3, 2, 1 }));
        }),
    ];

    private static Module Sum() => Parser.ParseModule(
        """
        symbol batch in 1..100
        inputs "x", "y"
        outputs "sum"
        %p0 = f32[batch] parameter(0)
        %p1 = f32[batch] parameter(1)
        %0 = f32[batch] add(%p0, %p1)
        return %0
        """);

    private static string SumBundle()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Combine("sum.hlo"), Printer.Print(Sum()));
        string bundle = Path.Combine(AppContext.BaseDirectory, "error-example.graphene");
        CliRun.Of("compile", folder.Combine("sum.hlo"), "-o", bundle);
        return bundle;
    }

    // No model reaches it on purpose: native code that reports a failed check.
    private static unsafe void RunFailingCheck()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Empty(), &TestEntries.FailCheck);
        program.Run(program.Bind([]), null, null, NativeProgramTests.Settings());
    }
}
