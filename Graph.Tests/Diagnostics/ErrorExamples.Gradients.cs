namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Gradients() =>
    [
        Of(DiagnosticId.NotDifferentiable, () =>
        {
            var b = new GraphBuilder();
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2)));
            Node y = b.CustomCall("my_library.solve", [x], [x.Type]);
            ReverseMode.Run(b, [y], [y], [x]);
        }),
        Of(DiagnosticId.Unconnected, () =>
        {
            var g = new Graph();
            Variable used = g.Variable(Literal.From<float>([1f]), "used");
            Variable forgotten = g.Variable(Literal.From<float>([1f]), "forgotten");
            Tensor loss = used.Read() * 2;
            g.Gradients(loss, [used, forgotten]);
        }),
        Of(DiagnosticId.NotFloating, () =>
        {
            var g = new Graph();
            Tensor n = g.Placeholder(DType.I32, [], "n");
            g.Gradient(n * n, n);
        }),
        Of(DiagnosticId.BadCotangent, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [3], "x");
            g.Gradients([x * x], [x], [g.Constant(1f)]);
        }),
        Of(DiagnosticId.BadCustomGradient, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [3], "x");
            g.CustomGradient([x], p => [p[0].Round()], (inputs, results, cotangents) => [cotangents[0].ReduceSum()]);
        }),
        Of(DiagnosticId.EffectInMap, () =>
        {
            var g = new Graph();
            Tensor x = g.Placeholder(DType.F32, [3], "x");
            g.VectorizedMap(
                element =>
                {
                    g.Print("element", [element]);
                    return element * 2;
                },
                x);
        }),
    ];
}
