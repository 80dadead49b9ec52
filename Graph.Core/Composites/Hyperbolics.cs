namespace Graphene;

/// <summary>Hyperbolic functions and their inverses: accurate near 0, no overflow before the result itself overflows.</summary>
public static class HyperbolicComposites
{
    // Beyond it e^-x is lost beside e^x, even in f64.
    private const double Large = 20;

    /// <summary>(e^x - e^-x) / 2; keeps -0.0.</summary>
    public static Node HyperbolicSine(this GraphBuilder b, Node x) => b.Widened(x, w =>
    {
        Node magnitude = b.Abs(w);
        Node e = b.ExponentialMinusOne(magnitude);
        Node small = b.Multiply(b.Like(w, 0.5), b.Add(e, b.Divide(e, b.Add(e, b.Like(w, 1)))));
        return b.Multiply(b.Sign(w), b.Select(b.Less(magnitude, b.Like(w, Large)), small, HalfExponential(b, magnitude)));
    });

    /// <summary>(e^x + e^-x) / 2.</summary>
    public static Node HyperbolicCosine(this GraphBuilder b, Node x) => b.Widened(x, w =>
    {
        Node magnitude = b.Abs(w);
        Node e = b.Exponential(magnitude);
        Node small = b.Multiply(b.Like(w, 0.5), b.Add(e, b.Divide(b.Like(w, 1), e)));
        return b.Select(b.Less(magnitude, b.Like(w, Large)), small, HalfExponential(b, magnitude));
    });

    /// <summary>The inverse of <see cref="HyperbolicSine"/>; keeps -0.0.</summary>
    public static Node InverseHyperbolicSine(this GraphBuilder b, Node x) => b.Widened(x, w =>
    {
        // log(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(a^2 + 1)))
        Node magnitude = b.Abs(w);
        Node square = b.Multiply(magnitude, magnitude);
        Node one = b.Like(w, 1);
        Node root = b.SquareRoot(b.Add(square, one));
        Node small = b.LogPlusOne(b.Add(magnitude, b.Divide(square, b.Add(one, root))));
        return b.Multiply(b.Sign(w), b.Select(IsBelowLarge(b, magnitude), small, LogOfTwice(b, magnitude)));
    });

    /// <summary>The inverse of <see cref="HyperbolicCosine"/> at 1 and above; NaN below.</summary>
    public static Node InverseHyperbolicCosine(this GraphBuilder b, Node x) => b.Widened(x, w =>
    {
        // log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(2t + t^2)) with t = x - 1
        Node t = b.Subtract(w, b.Like(w, 1));
        Node root = b.SquareRoot(b.Multiply(t, b.Add(t, b.Like(w, 2))));
        Node value = b.Select(IsBelowLarge(b, w), b.LogPlusOne(b.Add(t, root)), LogOfTwice(b, w));
        return b.Select(b.Less(w, b.Like(w, 1)), b.Like(w, double.NaN), value);
    });

    /// <summary>The inverse of tanh in -1..1; NaN outside, infinite at the ends; keeps -0.0.</summary>
    public static Node InverseHyperbolicTangent(this GraphBuilder b, Node x) => b.Widened(x, w =>
    {
        // log((1 + a) / (1 - a)) / 2 = log1p(2a / (1 - a)) / 2
        Node magnitude = b.Abs(w);
        Node quotient = b.Divide(b.Add(magnitude, magnitude), b.Subtract(b.Like(w, 1), magnitude));
        return b.Multiply(b.Sign(w), b.Multiply(b.Like(w, 0.5), b.LogPlusOne(quotient)));
    });

    // e^a / 2, where e^a may overflow and e^a / 2 not.
    private static Node HalfExponential(GraphBuilder b, Node a)
    {
        Node root = b.Exponential(b.Multiply(a, b.Like(a, 0.5)));
        return b.Multiply(b.Multiply(root, b.Like(a, 0.5)), root);
    }

    // Above 1 / sqrt(epsilon) the 1 beside the square is lost, and further up the square overflows.
    private static Node IsBelowLarge(GraphBuilder b, Node a) =>
        b.Less(a, b.Like(a, a.DType == DType.F64 ? 1L << 27 : 1L << 13));

    private static Node LogOfTwice(GraphBuilder b, Node a) => b.Add(b.Log(a), b.Like(a, Math.Log(2)));
}
