using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Activation functions. f16 and bf16 are computed in f32 and rounded once.</summary>
internal static class Activations
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Relu", 1, c => c.Output(0, Relu(c.B, c.Input(0)))),
        Row("LeakyRelu", (c, b, x) => LeakyRelu(b, x, c.Float("alpha", 0.01f))),
        new("", "PRelu", 1, Prelu),
        Row("Elu", (c, b, x) => Elu(b, x, c.Float("alpha", 1), 1)),
        Row("Celu", (c, b, x) => Elu(b, x, c.Float("alpha", 1), c.Float("alpha", 1))),
        Row("Selu", (c, b, x) => b.Multiply(
            b.Like(x, c.Float("gamma", 1.05070102f)), Elu(b, x, c.Float("alpha", 1.67326319f), 1))),
        Row("ThresholdedRelu", (c, b, x) => ThresholdedRelu(b, x, c.Float("alpha", 1))),
        Row("HardSigmoid", (c, b, x) => HardSigmoid(b, x, c.Float("alpha", 0.2f), c.Float("beta", 0.5f))),
        Row("HardSwish", (_, b, x) => b.Multiply(x, HardSigmoid(b, x, 1f / 6f, 0.5f))),
        Row("Softplus", (_, b, x) => Softplus(b, x)),
        Row("Softsign", (_, b, x) => Softsign(b, x)),
        Row("Mish", (_, b, x) => b.Multiply(x, b.HyperbolicTangent(Softplus(b, x)))),
        Row("Swish", (c, b, x) => Swish(b, x, c.Float("alpha", 1))),
        Row("Gelu", Gelu),
        Row("Shrink", Shrink),
        new("", "Clip", 1, c => c.Output(0, ClipByAttributes(c))),
        new("", "Clip", 11, c => c.Output(0, ClipByInputs(c))),
        new("", "SwiGLU", 28, c => c.Output(0, c.B.Multiply(
            c.B.Wide(c.Input(0), x => Swish(c.B, x, c.Float("alpha", 1))), c.Input(1)))),
    ];

    /// <summary>max(x, 0).</summary>
    public static Node Relu(GraphBuilder b, Node x) => b.Maximum(x, b.Like(x, 0));

    /// <summary>x, times alpha where it is negative.</summary>
    public static Node LeakyRelu(GraphBuilder b, Node x, double alpha) => Negative(b, x, b.Multiply(x, b.Like(x, alpha)));

    /// <summary>x where it is above alpha, else 0.</summary>
    public static Node ThresholdedRelu(GraphBuilder b, Node x, double alpha) =>
        b.Select(b.Compare(x, b.Like(x, alpha), CompareDirection.GT), x, b.Like(x, 0));

    /// <summary>log(1 + e^x) without overflow: max(x, 0) + log1p(e^-|x|).</summary>
    public static Node Softplus(GraphBuilder b, Node x) =>
        b.Add(Relu(b, x), b.LogPlusOne(b.Exponential(b.Negate(b.Abs(x)))));

    /// <summary>x / (1 + |x|).</summary>
    public static Node Softsign(GraphBuilder b, Node x) => b.Divide(x, b.Add(b.Like(x, 1), b.Abs(x)));

    /// <summary>alpha (e^(x / scale) - 1) below zero.</summary>
    public static Node Elu(GraphBuilder b, Node x, double alpha, double scale)
    {
        Node inner = scale == 1 ? x : b.Divide(x, b.Like(x, scale));
        return Negative(b, x, b.Multiply(b.Like(x, alpha), b.ExponentialMinusOne(inner)));
    }

    /// <summary>clamp(alpha x + beta, 0, 1).</summary>
    public static Node HardSigmoid(GraphBuilder b, Node x, double alpha, double beta)
    {
        Node line = b.Add(b.Multiply(b.Like(x, alpha), x), b.Like(x, beta));
        return b.Maximum(b.Minimum(line, b.Like(x, 1)), b.Like(x, 0));
    }

    private static OperatorRow Row(string name, Func<OperatorCall, GraphBuilder, Node, Node> function) =>
        new("", name, 1, c => c.Output(0, c.B.Wide(c.Input(0), x => function(c, c.B, x))));

    // x where it is not negative, another value where it is.
    private static Node Negative(GraphBuilder b, Node x, Node below) =>
        b.Select(b.Compare(x, b.Like(x, 0), CompareDirection.LT), below, x);

    private static Node Swish(GraphBuilder b, Node x, double alpha) =>
        b.Multiply(x, b.Logistic(alpha == 1 ? x : b.Multiply(x, b.Like(x, alpha))));

    // The slope broadcasts to x only; before version 7 a vector meant one slope per channel.
    private static void Prelu(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node slope = c.Input(1);
        bool perChannel = c.Version < 7 && slope.Rank == 1 && slope.Shape[0] != 1 && x.Rank > 1;
        Node wide = perChannel
            ? b.AlongAxis(slope, x.Shape, 1)
            : b.BroadcastTo(slope, Broadcasting.Join(c, x.Shape, slope.Shape));
        c.Output(0, Negative(b, x, b.Multiply(x, wide)));
    }

    private static Node Gelu(OperatorCall c, GraphBuilder b, Node x) => c.Text("approximate", "none") switch
    {
        "none" => b.Multiply(
            b.Multiply(b.Like(x, 0.5), x), b.Add(b.Like(x, 1), b.ErrorFunction(b.Multiply(x, b.Like(x, Math.Sqrt(0.5)))))),
        "tanh" => GeluTanh(b, x),
        var other => throw c.Bad($"Gelu has the approximation '{other}'", "it must be none or tanh"),
    };

    private static Node GeluTanh(GraphBuilder b, Node x)
    {
        Node cube = b.Multiply(b.Like(x, 0.044715), b.Multiply(x, b.Multiply(x, x)));
        Node inner = b.Multiply(b.Like(x, Math.Sqrt(2 / Math.PI)), b.Add(x, cube));
        return b.Multiply(b.Multiply(b.Like(x, 0.5), x), b.Add(b.Like(x, 1), b.HyperbolicTangent(inner)));
    }

    private static Node Shrink(OperatorCall c, GraphBuilder b, Node x)
    {
        Node limit = b.Like(x, c.Float("lambd", 0.5f));
        Node bias = b.Like(x, c.Float("bias", 0));
        Node above = b.Compare(x, limit, CompareDirection.GT);
        Node below = b.Compare(x, b.Negate(limit), CompareDirection.LT);
        return b.Select(above, b.Subtract(x, bias), b.Select(below, b.Add(x, bias), b.Like(x, 0)));
    }

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
