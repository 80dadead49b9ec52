using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Activation functions. f16 and bf16 are computed in f32 and rounded once.</summary>
internal static class Activations
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        Row("Relu", 1, (_, b, x) => b.Relu(x)),
        Row("LeakyRelu", 1, (c, b, x) => b.LeakyRelu(x, c.Float("alpha", 0.01f))),
        new("", "PRelu", 1, Prelu),
        Row("Elu", 1, (c, b, x) => b.Elu(x, c.Float("alpha", 1))),
        Row("Celu", 12, (c, b, x) => b.Celu(x, c.Float("alpha", 1))),
        Row("Selu", 1, (c, b, x) => b.Selu(x, c.Float("alpha", 1.67326319f), c.Float("gamma", 1.05070102f))),
        Row("ThresholdedRelu", 1, (c, b, x) => b.ThresholdedRelu(x, c.Float("alpha", 1))),
        Row("HardSigmoid", 1, (c, b, x) => b.HardSigmoid(x, c.Float("alpha", 0.2f), c.Float("beta", 0.5f))),
        Row("HardSwish", 14, (_, b, x) => b.HardSwish(x)),
        Row("Softplus", 1, (_, b, x) => b.Softplus(x)),
        Row("Softsign", 1, (_, b, x) => b.Softsign(x)),
        Row("Mish", 18, (_, b, x) => b.Mish(x)),
        Row("Swish", 24, (c, b, x) => b.Silu(x, c.Float("alpha", 1))),
        Row("Gelu", 20, Gelu),
        Row("Shrink", 9, (c, b, x) => b.Shrink(x, c.Float("bias", 0), c.Float("lambd", 0.5f))),
        new("", "Clip", 1, c => c.Output(0, ClipByAttributes(c))),
        new("", "Clip", 11, c => c.Output(0, ClipByInputs(c))),
        new("", "SwiGLU", 28, c => c.Output(0, c.B.Multiply(
            c.B.Wide(c.Input(0), x => c.B.Silu(x, c.Float("alpha", 1))), c.Input(1)))),
    ];

    private static OperatorRow Row(string name, int since, Func<OperatorCall, GraphBuilder, Node, Node> function) =>
        new("", name, since, c => c.Output(0, c.B.Wide(c.Input(0), x => function(c, c.B, x))));

    // The slope broadcasts to x only; before version 7 a vector meant one slope per channel.
    private static void Prelu(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node slope = c.Input(1);
        bool perChannel = c.Version < 7 && slope.Rank == 1 && slope.Shape[0] != 1 && x.Rank > 1;
        c.Output(0, b.PRelu(x, perChannel ? b.AlongAxis(slope, x.Shape, 1) : slope));
    }

    private static Node Gelu(OperatorCall c, GraphBuilder b, Node x) => c.Text("approximate", "none") switch
    {
        "none" => b.Gelu(x),
        "tanh" => b.GeluTanh(x),
        var other => throw c.Bad($"Gelu has the approximation '{GraphOrder.Shorten(other)}'", "it must be none or tanh"),
    };

    private static Node ClipByAttributes(OperatorCall c)
    {
        Node x = c.Input(0);
        Node above = c.Attributes.Float("min") is { } min ? c.B.Maximum(x, c.B.Like(x, min)) : x;
        return c.Attributes.Float("max") is { } max ? c.B.Minimum(above, c.B.Like(x, max)) : above;
    }

    // The upper bound is applied last: with min > max every element becomes max.
    private static Node ClipByInputs(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node above = c.Optional(1) is { } min ? b.Maximum(x, b.BroadcastTo(Bound(b, min), x.Shape)) : x;
        return c.Optional(2) is { } max ? b.Minimum(above, b.BroadcastTo(Bound(b, max), x.Shape)) : above;
    }

    // Some exporters write bounds as vectors of one element.
    private static Node Bound(GraphBuilder b, Node bound) => b.Reshape(bound, Shape.Scalar);
}
