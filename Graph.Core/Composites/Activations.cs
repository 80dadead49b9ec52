namespace Graphene;

/// <summary>Activation functions. Each keeps NaN, and none overflows on the way to a finite result.</summary>
public static class ActivationComposites
{
    /// <summary><c>max(x, 0)</c>; NaN stays NaN.</summary>
    public static Node Relu(this GraphBuilder b, Node x) => b.Maximum(x, b.Like(x, 0));

    /// <summary><c>min(max(x, 0), 6)</c>.</summary>
    public static Node Relu6(this GraphBuilder b, Node x) => b.Minimum(b.Relu(x), b.Like(x, 6));

    /// <summary><c>x</c> where positive, <c>alpha * x</c> elsewhere.</summary>
    public static Node LeakyRelu(this GraphBuilder b, Node x, double alpha = 0.01) =>
        WhereNegative(b, x, b.Multiply(x, b.Like(x, alpha)));

    /// <summary><c>x</c> where positive, <c>slope * x</c> elsewhere; the slope is a tensor that broadcasts to x.</summary>
    public static Node PRelu(this GraphBuilder b, Node x, Node slope) =>
        WhereNegative(b, x, b.Multiply(x, b.BroadcastTo(slope, x.Shape)));

    /// <summary><c>x</c> where larger than <paramref name="alpha"/>, 0 elsewhere; NaN gives 0.</summary>
    public static Node ThresholdedRelu(this GraphBuilder b, Node x, double alpha = 1) =>
        b.Select(b.Greater(x, b.Like(x, alpha)), x, b.Like(x, 0));

    /// <summary><c>x</c> where positive, <c>alpha * (exp(x) - 1)</c> elsewhere.</summary>
    public static Node Elu(this GraphBuilder b, Node x, double alpha = 1) =>
        WhereNegative(b, x, Scaled(b, b.ExponentialMinusOne(b.Minimum(x, b.Like(x, 0))), alpha));

    /// <summary><c>x</c> where positive, <c>alpha * (exp(x / alpha) - 1)</c> elsewhere.</summary>
    public static Node Celu(this GraphBuilder b, Node x, double alpha = 1)
    {
        Node negative = b.Minimum(x, b.Like(x, 0));
        return WhereNegative(b, x, Scaled(b, b.ExponentialMinusOne(b.Divide(negative, b.Like(x, alpha))), alpha));
    }

    /// <summary><c>gamma * x</c> where positive, <c>gamma * alpha * (exp(x) - 1)</c> elsewhere; defaults as in the paper
    /// (Klambauer et al., 2017).</summary>
    public static Node Selu(
        this GraphBuilder b, Node x, double alpha = 1.6732632423543772, double gamma = 1.0507009873554805) =>
        Scaled(b, b.Elu(x, alpha), gamma);

    /// <summary>Gaussian error linear unit by the error function: <c>x / 2 * (1 + erf(x / sqrt(2)))</c>.</summary>
    public static Node Gelu(this GraphBuilder b, Node x)
    {
        Node erf = b.ErrorFunction(Scaled(b, x, Math.Sqrt(0.5)));
        return b.Multiply(Scaled(b, x, 0.5), b.Add(erf, b.Like(x, 1)));
    }

    /// <summary>Its approximation: <c>x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))</c>.</summary>
    public static Node GeluTanh(this GraphBuilder b, Node x)
    {
        Node cubic = Scaled(b, b.Multiply(b.Multiply(x, x), x), 0.044715);
        Node tanh = b.HyperbolicTangent(Scaled(b, b.Add(x, cubic), Math.Sqrt(2 / Math.PI)));
        return b.Multiply(Scaled(b, x, 0.5), b.Add(tanh, b.Like(x, 1)));
    }

    /// <summary>SiLU, also called Swish: <c>x * logistic(alpha * x)</c>.</summary>
    public static Node Silu(this GraphBuilder b, Node x, double alpha = 1) => b.Multiply(x, b.Logistic(Scaled(b, x, alpha)));

    /// <summary><c>log(1 + exp(x))</c>, written so that neither large nor small x lose digits.</summary>
    public static Node Softplus(this GraphBuilder b, Node x) =>
        b.Add(b.Relu(x), b.LogPlusOne(b.Exponential(b.Negate(b.Abs(x)))));

    /// <summary><c>x / (1 + |x|)</c>.</summary>
    public static Node Softsign(this GraphBuilder b, Node x) => b.Divide(x, b.Add(b.Abs(x), b.Like(x, 1)));

    /// <summary><c>x * tanh(softplus(x))</c>.</summary>
    public static Node Mish(this GraphBuilder b, Node x) => b.Multiply(x, b.HyperbolicTangent(b.Softplus(x)));

    /// <summary><c>min(max(alpha * x + beta, 0), 1)</c>.</summary>
    public static Node HardSigmoid(this GraphBuilder b, Node x, double alpha = 0.2, double beta = 0.5)
    {
        Node line = b.Add(Scaled(b, x, alpha), b.Like(x, beta));
        return b.Minimum(b.Maximum(line, b.Like(x, 0)), b.Like(x, 1));
    }

    /// <summary><c>x * min(max(x / 6 + 1/2, 0), 1)</c>.</summary>
    public static Node HardSwish(this GraphBuilder b, Node x) => b.Multiply(x, b.HardSigmoid(x, 1.0 / 6, 0.5));

    /// <summary>Moves values towards 0: <c>x + bias</c> below <c>-lambda</c>, <c>x - bias</c> above <c>lambda</c>, else 0.</summary>
    public static Node Shrink(this GraphBuilder b, Node x, double bias = 0, double lambda = 0.5)
    {
        Node high = b.Select(b.Greater(x, b.Like(x, lambda)), b.Subtract(x, b.Like(x, bias)), b.Like(x, 0));
        return b.Select(b.Less(x, b.Like(x, -lambda)), b.Add(x, b.Like(x, bias)), high);
    }

    private static Node Scaled(GraphBuilder b, Node x, double factor) => factor == 1 ? x : b.Multiply(x, b.Like(x, factor));

    // NaN is not smaller than 0 and passes as x.
    private static Node WhereNegative(GraphBuilder b, Node x, Node otherwise) =>
        b.Select(b.Less(x, b.Like(x, 0)), otherwise, x);
}
