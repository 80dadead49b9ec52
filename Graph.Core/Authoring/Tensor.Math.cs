using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Elementwise arithmetic, under TensorFlow's names.</content>
public sealed partial class Tensor
{
    /// <summary>Absolute value.</summary>
    public Tensor Abs([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Abs(x), file, line);

    /// <summary>-1, 0 or 1.</summary>
    public Tensor Sign([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Sign(x), file, line);

    /// <summary>Rounded up.</summary>
    public Tensor Ceil([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Ceil(x), file, line);

    /// <summary>Rounded down.</summary>
    public Tensor Floor([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Floor(x), file, line);

    /// <summary>Rounded to the nearest, ties to even.</summary>
    public Tensor Round([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.RoundNearestEven(x), file, line);

    /// <summary>e^x.</summary>
    public Tensor Exp([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Exponential(x), file, line);

    /// <summary>e^x - 1, exact for small x.</summary>
    public Tensor Expm1([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ExponentialMinusOne(x), file, line);

    /// <summary>Natural logarithm.</summary>
    public Tensor Log([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Log(x), file, line);

    /// <summary>log(1 + x), exact for small x.</summary>
    public Tensor Log1p([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.LogPlusOne(x), file, line);

    /// <summary>Square root.</summary>
    public Tensor Sqrt([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.SquareRoot(x), file, line);

    /// <summary>1 / sqrt(x).</summary>
    public Tensor Rsqrt([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReciprocalSquareRoot(x), file, line);

    /// <summary>Sine.</summary>
    public Tensor Sin([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Sine(x), file, line);

    /// <summary>Cosine.</summary>
    public Tensor Cos([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Cosine(x), file, line);

    /// <summary>Tangent.</summary>
    public Tensor Tan([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Tangent(x), file, line);

    /// <summary>Hyperbolic tangent.</summary>
    public Tensor Tanh([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.HyperbolicTangent(x), file, line);

    /// <summary>1 / (1 + e^-x).</summary>
    public Tensor Sigmoid([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Logistic(x), file, line);

    /// <summary>Error function.</summary>
    public Tensor Erf([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ErrorFunction(x), file, line);

    /// <summary>-x.</summary>
    public Tensor Neg([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Negate(x), file, line);

    /// <summary>x * x.</summary>
    public Tensor Square([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Multiply(x, x), file, line);

    /// <summary>1 / x.</summary>
    public Tensor Reciprocal([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Divide(b.Like(x, 1), x), file, line);

    /// <summary>x + y, for where the operator is not wanted.</summary>
    public Tensor Add(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Add, this, y, new CallSite(file, line));

    /// <summary>x - y.</summary>
    public Tensor Sub(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Subtract, this, y, new CallSite(file, line));

    /// <summary>x * y.</summary>
    public Tensor Mul(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Multiply, this, y, new CallSite(file, line));

    /// <summary>x / y.</summary>
    public Tensor Div(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Divide, this, y, new CallSite(file, line));

    /// <summary>Remainder with the sign of the dividend.</summary>
    public Tensor Mod(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Remainder, this, y, new CallSite(file, line));

    /// <summary>x to the power of y.</summary>
    public Tensor Pow(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Power, this, y, new CallSite(file, line));

    /// <summary>The larger; NaN when either is.</summary>
    public Tensor Maximum(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Maximum, this, y, new CallSite(file, line));

    /// <summary>The smaller; NaN when either is.</summary>
    public Tensor Minimum(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Minimum, this, y, new CallSite(file, line));

    /// <summary>The angle of the point (y, x); this tensor is the ordinate.</summary>
    public Tensor Atan2(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.ArcTangent2, this, y, new CallSite(file, line));

    /// <summary>Bounded to low..high.</summary>
    public Tensor ClipByValue(
        double low, double high, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Clamp(Number(b, x.Type, low), x, Number(b, x.Type, high)), file, line);

    /// <summary>Converted to another element type, by value.</summary>
    public Tensor Cast(DType type, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Convert(x, type), file, line);

    /// <summary>The same bits as another element type of the same width.</summary>
    public Tensor Bitcast(DType type, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.BitcastConvert(x, type), file, line);
}
