using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Building() =>
    [
        Of(DiagnosticId.StaticDimRequired, () =>
        {
            var b = new GraphBuilder();
            var d = new DimSymbol("d", 1, 128);
            Node q = b.Parameter(0, new TensorType(DType.F32, [1, 8, 10, (Dim)d]));
            b.Attention(q, q, q);
        }),
        Of(DiagnosticId.NestedTooDeep, () =>
        {
            string text = "";
            for (int i = 0; i < 10_000; i++)
            {
                string body = i == 0 ? "%0 = f32[] negate(%p0)" : $"%0 = f32[] fusion(%p0), kind=loop, body=@f{i - 1}";
                text += $"@f{i} {{\n%p0 = f32[] parameter(0)\n{body}\nreturn %0\n}}\n";
            }
            Parser.ParseModule(text + "%p0 = f32[] parameter(0)\nreturn %p0\n", "example.hlo");
        }),
        Of(DiagnosticId.BadDimensionValue, () =>
        {
            Module module = Parser.ParseModule(
                """
                symbol batch in 1..64
                %p0 = f32[batch,10] parameter(0)
                %0 = f32[batch,10] tanh(%p0)
                return %0
                """);
            Specialization.Apply(module, new Dictionary<string, long> { ["batch"] = 65 });
        }),
        Of(DiagnosticId.BadEquation, () =>
        {
            var g = new Graph();
            Tensor a = g.Placeholder(DType.F32, [2, 3], "a");
            g.Einsum("ij->ji?", [a]);
        }),
        Of(DiagnosticId.UnknownCustomCall, () =>
        {
            Computation computation = Parser.ParseComputation(
                """
                %p0 = f32[2] parameter(0)
                %0 = f32[2] custom_call(%p0), target="my_library.solve", config="", has_side_effect=false
                return %0
                """);
            Evaluator.Evaluate(computation, [Literal.From<float>([1, 2], 2)]);
        }),
        Of(DiagnosticId.AssertionFailed, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [], "x");
            Operation positive = g.Assert(x.Greater(0), "x must be positive", [x]);
            using (g.ControlDependencies(positive))
            {
                Tensor root = x.Sqrt();
                using var session = new Session(g, new ReferenceCompiler());
                session.Run(root, (x, -1f));
            }
        }),
        Of(DiagnosticId.TensorOutOfScope, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [], "x");
            Tensor? inside = null;
            g.Cond(x.Greater(0), () => inside = x * 2, () => x);
            _ = inside! + 1;
        }),
        Of(DiagnosticId.OtherGraph, () =>
        {
            Tensor x = new Graph("one").Constant(1f);
            Tensor y = new Graph("two").Constant(1f);
            _ = x + y;
        }),
        Of(DiagnosticId.GraphFrozen, () =>
        {
            var g = new Graph();
            Tensor x = g.Constant(1f);
            g.Freeze();
            x.Relu();
        }),
        Of(DiagnosticId.MissingFeed, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [3], "x");
            Tensor y = g.Placeholder(DType.F32, [3], "y");
            using var session = new Session(g, new ReferenceCompiler());
            session.Run(x + y, (x, new float[3]));
        }),
        Of(DiagnosticId.BadName, () => new Graph().Placeholder(DType.F32, [3], " ")),
        Of(DiagnosticId.LiteralDoesNotFit, () =>
        {
            Tensor pixels = new Graph().Placeholder(DType.U8, [28, 28], "pixels");
            _ = pixels + 256;
        }),
        Of(DiagnosticId.BadAssignment, () =>
        {
            var g = new Graph();
            Variable weights = g.Variable(Literal.From<float>([1, 2], 2), "weights");
            weights.Assign(g.Constant(0f));
        }),
        Of(DiagnosticId.EffectInCondition, () =>
        {
            var g = new Graph();
            Variable rounds = g.Variable(Literal.From<float>([0f]), "rounds");
            g.While(
                [g.Constant(1f)],
                values =>
                {
                    rounds.Assign(rounds.Read() + 1);
                    return values[0].Less(10);
                },
                values => [values[0] * 2]);
        }),
        Of(DiagnosticId.RecursiveFunction, () =>
        {
            var g = new Graph();
            Function? factorial = null;
            factorial = g.Function(n => g.Cond(n.Greater(1), () => n * factorial![n - 1], () => n), "factorial");
            _ = factorial[g.Constant(5f)];
        }),
        Of(DiagnosticId.BadArguments, () =>
        {
            var g = new Graph();
            var options = new FunctionOptions { Signature = [new TensorType(DType.F32, ["batch", 784])] };
            Function model = g.Function(x => x.ReduceMean(1), "model", options);
            _ = model[g.Placeholder(DType.F32, [64, 28, 28], "images")];
        }),
        Of(DiagnosticId.RetraceLimit, () =>
        {
            var g = new Graph();
            var options = new FunctionOptions { GeneralizeSizes = false, RetraceLimit = 3 };
            Function mean = g.Function(x => x.ReduceMean(), "mean", options);
            using var session = new Session(g, new ReferenceCompiler());
            for (int length = 1; length < 10; length++)
            {
                session.Call(mean, new float[length]);
            }
        }),
        Of(DiagnosticId.MadeInFunction, () =>
        {
            var g = new Graph();
            Function layer = g.Function(x => x * g.Variable(Literal.From<float>([1]), "scale").Read(), "layer");
            _ = layer[g.Constant(2f)];
        }),
        Of(DiagnosticId.BadSwitch, () =>
        {
            var environment = new Dictionary<string, string> { ["GRAPHENE_TIMING"] = "maybe" };
            DebugOptions.Read(environment.GetValueOrDefault);
        }),
        Of(DiagnosticId.UnknownPass, () =>
        {
            DebugOptions debug = DebugOptions.None with { DisabledPasses = ["fusoin"] };
            Module module = Parser.ParseModule("%p0 = f32[2] parameter(0)\nreturn %p0\n");
            GraphOptimizer.Run(module, new OptimizerOptions { Debug = debug });
        }),
        Of(OptimizerDiagnostics.ArenaBudget, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [64, 64], "x");
            Module module = g.ToModule([x.MatMul(x).Tanh().MatMul(x)], [x]);
            GraphOptimizer.Run(module, new OptimizerOptions { ArenaBudgetInBytes = 1000 });
        }),
    ];
}
