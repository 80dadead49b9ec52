using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators with random results. The numbers are those of a counter-based generator, seeded by the attribute.</summary>
internal static class RandomNumbers
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Bernoulli", 15, Bernoulli),
        new("", "RandomUniform", 1, c => Uniform(c, AttributeShape(c), AttributeType(c, OnnxDataType.Float))),
        new("", "RandomUniformLike", 1, c => Uniform(c, c.Value(0).Shape, AttributeType(c, c.Value(0).Type))),
        new("", "RandomNormal", 1, c => Normal(c, AttributeShape(c), AttributeType(c, OnnxDataType.Float))),
        new("", "RandomNormalLike", 1, c => Normal(c, c.Value(0).Shape, AttributeType(c, c.Value(0).Type))),
    ];

    /// <summary>Training dropout: each element is 0 with the given probability, else scaled to keep the mean.</summary>
    public static void Dropout(OperatorCall c, double ratio)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node keep = b.GreaterOrEqual(Uniform01(c, x.Shape), b.Splat(DType.F32, x.Shape, ratio));
        double scale = ratio < 1 ? 1 / (1 - ratio) : 0;
        c.Output(0, b.Select(keep, b.Wide(x, v => b.Multiply(v, b.Like(v, scale))), b.Like(x, 0)));
        c.Output(1, keep);
    }

    private static void Bernoulli(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node p = c.Input(0);
        OnnxDataType type = AttributeType(c, c.Value(0).Type);
        Node hit = b.Less(Uniform01(c, p.Shape), b.Convert(p, DType.F32));
        c.Output(0, SmallTypes.Convert(b, hit, OnnxDataType.Bool, type), type);
    }

    private static void Uniform(OperatorCall c, Shape shape, OnnxDataType type)
    {
        GraphBuilder b = c.B;
        double low = c.Float("low", 0);
        Node u = Uniform01(c, shape);
        Node y = b.Add(b.Multiply(u, b.Like(u, c.Float("high", 1) - low)), b.Like(u, low));
        c.Output(0, b.Convert(y, OnnxTypes.Storage(type, c.Where)), type);
    }

    // Box and Muller: sqrt(-2 log(1 - u)) cos(2 pi v).
    private static void Normal(OperatorCall c, Shape shape, OnnxDataType type)
    {
        GraphBuilder b = c.B;
        Node pairs = Uniform01(c, Shape.From([2, .. shape]));
        Node u = b.Squeeze(Slicing.Range(b, pairs, 0, 0, 1), 0);
        Node v = b.Squeeze(Slicing.Range(b, pairs, 0, 1, 1), 0);
        Node radius = b.SquareRoot(b.Multiply(b.Like(u, -2), b.Log(b.Subtract(b.Like(u, 1), u))));
        Node standard = b.Multiply(radius, b.Cosine(b.Multiply(v, b.Like(v, 2 * Math.PI))));
        Node y = b.Add(b.Multiply(standard, b.Like(u, c.Float("scale", 1))), b.Like(u, c.Float("mean", 0)));
        c.Output(0, b.Convert(y, OnnxTypes.Storage(type, c.Where)), type);
    }

    // In [0, 1): the upper 24 of 32 random bits. Every node has a stream of its own, from its seed and its first output's name.
    // The seed is a float, or for some operators an integer.
    private static ulong Seed(OperatorCall c) => c.Attributes.IsInt("seed")
        ? unchecked((ulong)c.Int("seed", 0))
        : BitConverter.SingleToUInt32Bits(c.Float("seed", 0));

    private static Node Uniform01(OperatorCall c, Shape shape)
    {
        GraphBuilder b = c.B;
        ulong seed = Seed(c);
        ulong stream = 14695981039346656037;
        foreach (char letter in c.Proto.Output.FirstOrDefault() ?? "")
        {
            stream = (stream ^ letter) * 1099511628211;
        }
        Node state = b.Constant(Literal.From<ulong>([seed, stream], 2));
        Node bits = b.RngBitGenerator(state, new TensorType(DType.U32, shape)).Bits;
        Node upper = b.ShiftRightLogical(bits, b.Like(bits, 8));
        return b.Multiply(b.Convert(upper, DType.F32), b.Splat(DType.F32, shape, 1.0 / (1 << 24)));
    }

    private static Shape AttributeShape(OperatorCall c) => Shape.From(
        (c.Ints("shape") ?? throw c.Bad($"{c.Proto.OpType} has no attribute 'shape'", "the operator needs it")).Select(d =>
            d is >= 0 and <= DimSymbol.Unbounded
                ? (Dim)d
                : throw c.Bad($"{c.Proto.OpType} has the dimension {d}", "it must not be negative")));

    private static OnnxDataType AttributeType(OperatorCall c, OnnxDataType otherwise) =>
        c.Attributes.Int("dtype") is { } given ? (OnnxDataType)given : otherwise;
}
