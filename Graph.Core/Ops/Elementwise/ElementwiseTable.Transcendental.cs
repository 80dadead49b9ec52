namespace Graphene;

public static partial class ElementwiseTable
{
    /// <summary>The angle of the point (y, x) in -pi..pi, where y is the first operand; special cases as IEEE 754.</summary>
    public static readonly ElementwiseFn ArcTangent2 = new("atan2", 2)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Atan2(x[0], x[1]),
        Element = (f, x) => f.Call(ScalarOp.ArcTangent2, x[0], x[1]),
        Partials = (b, y, d) =>
        {
            (Node ordinate, Node abscissa) = (y.Operands[0], y.Operands[1]);
            Node scaled = b.Divide(d, b.Add(b.Multiply(ordinate, ordinate), b.Multiply(abscissa, abscissa)));
            return [b.Multiply(scaled, abscissa), b.Negate(b.Multiply(scaled, ordinate))];
        },
        MaxUlp = 4,
        IsExpensive = true,
    };

    /// <summary>Cosine of radians; NaN for infinities.</summary>
    public static readonly ElementwiseFn Cosine = new("cosine", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Cos(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Cosine, x[0]),
        Partials = (b, y, d) => [b.Negate(b.Multiply(d, b.Sine(y.Operands[0])))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>Cube root, also of negative numbers.</summary>
    public static readonly ElementwiseFn CubeRoot = new("cbrt", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Cbrt(x[0]),
        Element = (f, x) => f.Call(ScalarOp.CubeRoot, x[0]),
        Partials = (b, y, d) => [b.Divide(d, b.Multiply(b.Like(y, 3), b.Multiply(y, y)))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>Error function (CHLO's erf).</summary>
    public static readonly ElementwiseFn ErrorFunction = new("erf", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => SpecialFunctions.Erf(x[0]),
        Element = (f, x) => f.Call(ScalarOp.ErrorFunction, x[0]),
        Partials = (b, y, d) =>
        {
            Node x = y.Operands[0];
            Node density = b.Multiply(b.Like(x, 2 / Math.Sqrt(Math.PI)), b.Exponential(b.Negate(b.Multiply(x, x))));
            return [b.Multiply(d, density)];
        },
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>e^x.</summary>
    public static readonly ElementwiseFn Exponential = new("exponential", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Exp(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Exponential, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, y)],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>e^x - 1, accurate near 0.</summary>
    public static readonly ElementwiseFn ExponentialMinusOne = new("exponential_minus_one", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => SpecialFunctions.ExpMinusOne(x[0]),
        Element = (f, x) => f.Call(ScalarOp.ExponentialMinusOne, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Add(y, b.Like(y, 1)))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>Hyperbolic tangent.</summary>
    public static readonly ElementwiseFn HyperbolicTangent = new("tanh", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Tanh(x[0]),
        Element = (f, x) => f.Call(ScalarOp.HyperbolicTangent, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Subtract(b.Like(y, 1), b.Multiply(y, y)))],
        MaxUlp = 2.5,
        IsExpensive = true,
    };

    /// <summary>Natural logarithm; NaN below 0, negative infinity at 0.</summary>
    public static readonly ElementwiseFn Log = new("log", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Log(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Log, x[0]),
        Partials = (b, y, d) => [b.Divide(d, y.Operands[0])],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>log(1 + x), accurate near 0.</summary>
    public static readonly ElementwiseFn LogPlusOne = new("log_plus_one", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => SpecialFunctions.LogPlusOne(x[0]),
        Element = (f, x) => f.Call(ScalarOp.LogPlusOne, x[0]),
        Partials = (b, y, d) => [b.Divide(d, b.Add(y.Operands[0], b.Like(y, 1)))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>1 / (1 + e^-x).</summary>
    public static readonly ElementwiseFn Logistic = new("logistic", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => SpecialFunctions.Logistic(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Logistic, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Multiply(y, b.Subtract(b.Like(y, 1), y)))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>1 / sqrt(x); infinity at 0 with the sign of the zero.</summary>
    public static readonly ElementwiseFn ReciprocalSquareRoot = new("rsqrt", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => 1 / Math.Sqrt(x[0]),
        Element = (f, x) => f.Call(ScalarOp.ReciprocalSquareRoot, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Multiply(b.Like(y, -0.5), b.Divide(y, y.Operands[0])))],
        MaxUlp = 2,
    };

    /// <summary>Sine of radians; NaN for infinities.</summary>
    public static readonly ElementwiseFn Sine = new("sine", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Sin(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Sine, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Cosine(y.Operands[0]))],
        MaxUlp = 2,
        IsExpensive = true,
    };

    /// <summary>Square root, correctly rounded; NaN below 0.</summary>
    public static readonly ElementwiseFn SquareRoot = new("sqrt", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Sqrt(x[0]),
        Element = (f, x) => f.Call(ScalarOp.SquareRoot, x[0]),
        Partials = (b, y, d) => [b.Divide(b.Multiply(d, b.Like(y, 0.5)), y)],
    };

    /// <summary>Tangent of radians; NaN for infinities.</summary>
    public static readonly ElementwiseFn Tangent = new("tan", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Tan(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Tangent, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Add(b.Like(y, 1), b.Multiply(y, y)))],
        MaxUlp = 4,
        IsExpensive = true,
    };
}

/// <summary>Builds roots, exponentials and trigonometry.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>The angle of the point (<paramref name="x"/>, <paramref name="y"/>) in -pi..pi.</summary>
    public static Node ArcTangent2(this GraphBuilder b, Node y, Node x) => b.Elementwise(ElementwiseTable.ArcTangent2, y, x);

    /// <summary>Cosine of radians; NaN for infinities.</summary>
    public static Node Cosine(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Cosine, x);

    /// <summary>Cube root, also of negative numbers.</summary>
    public static Node CubeRoot(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.CubeRoot, x);

    /// <summary>Error function (CHLO's erf).</summary>
    public static Node ErrorFunction(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.ErrorFunction, x);

    /// <summary>e^x.</summary>
    public static Node Exponential(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Exponential, x);

    /// <summary>e^x - 1, accurate near 0.</summary>
    public static Node ExponentialMinusOne(this GraphBuilder b, Node x) =>
        b.Elementwise(ElementwiseTable.ExponentialMinusOne, x);

    /// <summary>Hyperbolic tangent.</summary>
    public static Node HyperbolicTangent(this GraphBuilder b, Node x) =>
        b.Elementwise(ElementwiseTable.HyperbolicTangent, x);

    /// <summary>Natural logarithm; NaN below 0, negative infinity at 0.</summary>
    public static Node Log(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Log, x);

    /// <summary>log(1 + x), accurate near 0.</summary>
    public static Node LogPlusOne(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.LogPlusOne, x);

    /// <summary>1 / (1 + e^-x).</summary>
    public static Node Logistic(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Logistic, x);

    /// <summary>1 / sqrt(x); infinity at 0 with the sign of the zero.</summary>
    public static Node ReciprocalSquareRoot(this GraphBuilder b, Node x) =>
        b.Elementwise(ElementwiseTable.ReciprocalSquareRoot, x);

    /// <summary>Sine of radians; NaN for infinities.</summary>
    public static Node Sine(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Sine, x);

    /// <summary>Square root, correctly rounded; NaN below 0.</summary>
    public static Node SquareRoot(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.SquareRoot, x);

    /// <summary>Tangent of radians; NaN for infinities.</summary>
    public static Node Tangent(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Tangent, x);
}
