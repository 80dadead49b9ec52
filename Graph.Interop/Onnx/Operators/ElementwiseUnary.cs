using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Functions of one element that are not activations.</summary>
internal static class ElementwiseUnary
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        Row("Abs", 1, (b, x) => x.DType.IsUnsignedInteger() ? x : b.Abs(x)),
        Row("Neg", 1, (b, x) => b.Negate(x)),
        Row("Sign", 9, (b, x) => x.DType.IsUnsignedInteger() ? b.Minimum(x, b.Like(x, 1)) : b.Sign(x)),
        Row("Ceil", 1, (b, x) => b.Ceil(x)),
        Row("Floor", 1, (b, x) => b.Floor(x)),
        Row("Round", 11, (b, x) => b.RoundNearestEven(x)),
        Row("Sqrt", 1, (b, x) => b.SquareRoot(x)),
        Row("Reciprocal", 1, (b, x) => b.Divide(b.Like(x, 1), x)),
        Row("Exp", 1, (b, x) => b.Exponential(x)),
        Row("Log", 1, (b, x) => b.Log(x)),
        Row("Sin", 7, (b, x) => b.Sine(x)),
        Row("Cos", 7, (b, x) => b.Cosine(x)),
        Row("Tan", 7, (b, x) => b.Tangent(x)),
        Row("Tanh", 1, (b, x) => b.HyperbolicTangent(x)),
        Row("Erf", 9, (b, x) => b.ErrorFunction(x)),
        Row("Sigmoid", 1, (b, x) => b.Logistic(x)),
        Wide("Asin", 7, ArcSine),
        Wide("Acos", 7, ArcCosine),
        Row("Atan", 7, (b, x) => b.ArcTangent2(x, b.Like(x, 1))),
        Wide("Sinh", 9, HyperbolicSine),
        Wide("Cosh", 9, HyperbolicCosine),
        Wide("Asinh", 9, InverseHyperbolicSine),
        Wide("Acosh", 9, InverseHyperbolicCosine),
        Wide("Atanh", 9, InverseHyperbolicTangent),
        Row("Not", 1, (b, x) => b.Not(x)),
        Row("BitwiseNot", 18, (b, x) => b.Not(x)),
        Row("IsNaN", 9, (b, x) => b.Compare(x, x, CompareDirection.NE)),
        new("", "IsInf", 10, IsInfinite),
    ];

    private static OperatorRow Row(string name, int since, Func<GraphBuilder, Node, Node> function) =>
        new("", name, since, c => c.Output(0, function(c.B, c.Input(0))));

    private static OperatorRow Wide(string name, int since, Func<GraphBuilder, Node, Node> function) =>
        new("", name, since, c => c.Output(0, c.B.Wide(c.Input(0), x => function(c.B, x))));

    // asin(x) = 2 atan2(x, 1 + sqrt((1 - x)(1 + x))): no cancellation near the ends.
    private static Node ArcSine(GraphBuilder b, Node x)
    {
        Node one = b.Like(x, 1);
        Node root = b.SquareRoot(b.Multiply(b.Subtract(one, x), b.Add(one, x)));
        return b.Multiply(b.Like(x, 2), b.ArcTangent2(x, b.Add(one, root)));
    }

    // acos(x) = 2 atan2(sqrt(1 - x), sqrt(1 + x)), which is right at -1 too.
    private static Node ArcCosine(GraphBuilder b, Node x)
    {
        Node one = b.Like(x, 1);
        return b.Multiply(
            b.Like(x, 2), b.ArcTangent2(b.SquareRoot(b.Subtract(one, x)), b.SquareRoot(b.Add(one, x))));
    }

    // With m = e^x - 1: sinh(x) = (m + m / (m + 1)) / 2, exact near 0; halves of the exponent keep large x from overflowing early.
    private static Node HyperbolicSine(GraphBuilder b, Node x)
    {
        Node m = b.ExponentialMinusOne(x);
        Node small = b.Multiply(b.Like(x, 0.5), b.Add(m, b.Divide(m, b.Add(m, b.Like(x, 1)))));
        Node half = b.Exponential(b.Multiply(b.Abs(x), b.Like(x, 0.5)));
        Node large = b.Multiply(b.Sign(x), b.Multiply(b.Multiply(half, b.Like(x, 0.5)), half));
        return b.Select(b.Compare(b.Abs(x), b.Like(x, 8), CompareDirection.LT), small, large);
    }

    private static Node HyperbolicCosine(GraphBuilder b, Node x)
    {
        Node half = b.Exponential(b.Multiply(b.Abs(x), b.Like(x, 0.5)));
        Node up = b.Multiply(b.Multiply(half, b.Like(x, 0.5)), half);
        return b.Add(up, b.Multiply(b.Like(x, 0.5), b.Exponential(b.Negate(b.Abs(x)))));
    }

    // asinh(x) = sign(x) log1p(|x| + x^2 / (1 + sqrt(x^2 + 1))); log(2|x|) where the square would overflow.
    private static Node InverseHyperbolicSine(GraphBuilder b, Node x)
    {
        Node one = b.Like(x, 1);
        Node magnitude = b.Abs(x);
        Node square = b.Multiply(x, x);
        Node inner = b.Add(magnitude, b.Divide(square, b.Add(one, b.SquareRoot(b.Add(square, one)))));
        Node large = b.Add(b.Log(magnitude), b.Like(x, Math.Log(2)));
        Node isLarge = b.Compare(magnitude, b.Like(x, SquareLimit(x.DType)), CompareDirection.GT);
        return b.Multiply(b.Sign(x), b.Select(isLarge, large, b.LogPlusOne(inner)));
    }

    // acosh(x) = log1p(t + sqrt(2 t + t^2)) with t = x - 1.
    private static Node InverseHyperbolicCosine(GraphBuilder b, Node x)
    {
        Node t = b.Subtract(x, b.Like(x, 1));
        Node root = b.SquareRoot(b.Add(b.Multiply(b.Like(x, 2), t), b.Multiply(t, t)));
        Node large = b.Add(b.Log(x), b.Like(x, Math.Log(2)));
        Node isLarge = b.Compare(x, b.Like(x, SquareLimit(x.DType)), CompareDirection.GT);
        return b.Select(isLarge, large, b.LogPlusOne(b.Add(t, root)));
    }

    // atanh(x) = (log1p(x) - log1p(-x)) / 2.
    private static Node InverseHyperbolicTangent(GraphBuilder b, Node x) =>
        b.Multiply(b.Like(x, 0.5), b.Subtract(b.LogPlusOne(x), b.LogPlusOne(b.Negate(x))));

    // Beyond this, 1 + x^2 is x^2 to the last bit, and x^2 is still finite.
    private static double SquareLimit(DType type) => type == DType.F64 ? 1e100 : 1e15;

    private static void IsInfinite(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node positive = b.Compare(x, b.Like(x, double.PositiveInfinity), CompareDirection.EQ);
        Node negative = b.Compare(x, b.Like(x, double.NegativeInfinity), CompareDirection.EQ);
        bool wantsPositive = c.Int("detect_positive", 1) != 0;
        bool wantsNegative = c.Int("detect_negative", 1) != 0;
        c.Output(0, (wantsPositive, wantsNegative) switch
        {
            (true, true) => b.Or(positive, negative),
            (true, false) => positive,
            (false, true) => negative,
            _ => b.Splat(DType.Bool, x.Shape, 0),
        });
    }
}
