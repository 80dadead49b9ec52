using System.Numerics;

namespace Graphene.Tests.Support;

/// <summary>The scalar instructions as the documentation of <see cref="ScalarOp"/> pins them, written a second time.</summary>
internal static class ScalarInstructions
{
    public static Scalar Apply(ScalarOp op, Scalar[] x)
    {
        DType type = x[0].DType;
        return op switch
        {
            ScalarOp.Equal => Scalar.FromBool(Compare(x) == 0),
            ScalarOp.NotEqual => Scalar.FromBool(Compare(x) != 0),
            ScalarOp.Less => Scalar.FromBool(Compare(x) < 0),
            ScalarOp.LessOrEqual => Scalar.FromBool(Compare(x) <= 0),
            ScalarOp.IsFinite => Scalar.FromBool(double.IsFinite(x[0].AsDouble)),
            _ when type.IsFloating() => Scalar.FromDouble(type, Floating(op, Array.ConvertAll(x, v => v.AsDouble))),
            _ when type == DType.Bool => Scalar.FromBool(Logical(op, Array.ConvertAll(x, v => v.AsBool))),
            _ => Scalar.FromInteger(type, Integer(op, Array.ConvertAll(x, v => v.AsInteger), type)),
        };
    }

    public static Scalar Convert(Scalar value, DType type)
    {
        if (type == DType.Bool)
        {
            return Scalar.FromBool(value.DType.IsFloating() ? value.AsDouble != 0 : value.AsInteger != 0);
        }
        if (!value.DType.IsFloating())
        {
            return type switch
            {
                _ when type.IsFloating() => NearestFloat(value.AsInteger, type),
                _ => Scalar.FromInteger(type, value.AsInteger),
            };
        }
        if (type.IsFloating())
        {
            return Scalar.FromDouble(type, value.AsDouble);
        }
        double x = value.AsDouble;
        if (double.IsNaN(x))
        {
            return Scalar.Zero(type);
        }
        var whole = double.IsInfinity(x) ? (BigInteger)(Math.Sign(x) * 1e30) : new BigInteger(x); // truncates
        return Scalar.FromInteger(
            type, (Int128)BigInteger.Min(BigInteger.Max(whole, Scalar.Lowest(type).AsInteger), Scalar.Highest(type).AsInteger));
    }

    // By search among the neighbours of a first guess: the nearest representable value, the even one when two are as near.
    private static Scalar NearestFloat(Int128 value, DType type)
    {
        Scalar guess = Scalar.FromDouble(type, (double)value);
        Scalar best = guess;
        foreach (int step in (int[])[-1, 1])
        {
            Scalar neighbour = Scalar.FromBits(type, guess.Bits + (ulong)step);
            if (!double.IsFinite(neighbour.AsDouble) || !double.IsFinite(best.AsDouble))
            {
                continue;
            }
            BigInteger distance = BigInteger.Abs((BigInteger)neighbour.AsDouble - value);
            BigInteger bestDistance = BigInteger.Abs((BigInteger)best.AsDouble - value);
            if (distance < bestDistance || (distance == bestDistance && (neighbour.Bits & 1) == 0))
            {
                best = neighbour;
            }
        }
        return best;
    }

    private static int? Compare(Scalar[] x) => !x[0].DType.IsFloating() ? x[0].AsInteger.CompareTo(x[1].AsInteger)
        : double.IsNaN(x[0].AsDouble) || double.IsNaN(x[1].AsDouble) ? null
        : x[0].AsDouble - x[1].AsDouble is var d && (d == 0 || double.IsNaN(d)) ? 0 : x[0].AsDouble > x[1].AsDouble ? 1 : -1;

    private static bool Logical(ScalarOp op, bool[] x) => op switch
    {
        ScalarOp.And or ScalarOp.Minimum => x[0] && x[1],
        ScalarOp.Or or ScalarOp.Maximum => x[0] || x[1],
        ScalarOp.Xor => x[0] != x[1],
        ScalarOp.Not => !x[0],
        _ => throw new InvalidOperationException($"{op} does not apply to bool"),
    };

    private static Int128 Integer(ScalarOp op, Int128[] x, DType type)
    {
        int width = type.SizeInBits();
        return op switch
        {
            ScalarOp.Add => x[0] + x[1],
            ScalarOp.Subtract => x[0] - x[1],
            ScalarOp.Multiply => unchecked(x[0] * x[1]),
            ScalarOp.Divide => x[1] == 0 ? Bit(width) - 1 : x[0] / x[1],
            ScalarOp.Remainder => x[1] == 0 ? x[0] : x[0] - (x[0] / x[1] * x[1]),
            ScalarOp.Negate => -x[0],
            ScalarOp.Abs => x[0] < 0 ? -x[0] : x[0],
            ScalarOp.Sign => x[0] < 0 ? -1 : x[0] > 0 ? 1 : 0,
            ScalarOp.Maximum => x[0] > x[1] ? x[0] : x[1],
            ScalarOp.Minimum => x[0] < x[1] ? x[0] : x[1],
            ScalarOp.And => x[0] & x[1],
            ScalarOp.Or => x[0] | x[1],
            ScalarOp.Xor => x[0] ^ x[1],
            ScalarOp.Not => -1 - x[0],
            ScalarOp.PopulationCount => Enumerable.Range(0, width).Count(i => BitAt(x[0], i)),
            ScalarOp.CountLeadingZeros => Enumerable.Range(0, width).TakeWhile(i => !BitAt(x[0], width - 1 - i)).Count(),
            ScalarOp.ShiftLeft => Bits(width, i => Amount() <= i && BitAt(x[0], i - (int)Amount())),
            ScalarOp.ShiftRightLogical => Bits(width, i => i + Amount() < width && BitAt(x[0], i + (int)Amount())),
            ScalarOp.ShiftRightArithmetic => Bits(width, i => BitAt(x[0], (int)Int128.Min(i + Amount(), width - 1))),
            _ => throw new InvalidOperationException($"{op} does not apply to {type.Name()}"),
        };

        Int128 Amount() => x[1] < 0 ? 1000 : Int128.Min(x[1], 1000);
    }

    private static Int128 Bit(int i) => (Int128)1 << i;

    private static bool BitAt(Int128 value, int i) => (value >> i & 1) == 1;

    private static Int128 Bits(int width, Func<int, bool> isSet) =>
        Enumerable.Range(0, width).Where(isSet).Aggregate((Int128)0, (sum, i) => sum | Bit(i));

    private static double Floating(ScalarOp op, double[] x) => op switch
    {
        ScalarOp.Add => x[0] + x[1],
        ScalarOp.Subtract => x[0] - x[1],
        ScalarOp.Multiply => x[0] * x[1],
        ScalarOp.Divide => x[0] / x[1],
        ScalarOp.Remainder => Modulo(x[0], x[1]),
        ScalarOp.Negate => x[0] * -1,
        ScalarOp.Abs => x[0] <= 0 ? 0 - x[0] : x[0],
        ScalarOp.Sign => double.IsNaN(x[0]) || x[0] == 0 ? x[0] : Math.CopySign(1, x[0]),
        ScalarOp.Maximum => Larger(x[0], x[1]),
        ScalarOp.Minimum => -Larger(-x[0], -x[1]),
        ScalarOp.FusedMultiplyAdd => Math.FusedMultiplyAdd(x[0], x[1], x[2]),
        ScalarOp.Floor => Math.Floor(x[0]),
        ScalarOp.Ceil => -Math.Floor(-x[0]),
        ScalarOp.RoundNearestEven => Math.Abs(x[0]) < Shifter ? Math.CopySign(Math.Abs(x[0]) + Shifter - Shifter, x[0]) : x[0],
        ScalarOp.RoundNearestAfz => Math.CopySign(Away(Math.Abs(x[0])), x[0]),
        ScalarOp.Truncate => Math.Truncate(x[0]),
        ScalarOp.SquareRoot => Math.Sqrt(x[0]),
        ScalarOp.ReciprocalSquareRoot => x[0] == 0 ? 1 / x[0] : x[0] < 0 ? double.NaN : Math.Pow(x[0], -0.5),
        ScalarOp.CubeRoot => x[0] == 0 ? x[0] : Math.CopySign(Math.Exp(Math.Log(Math.Abs(x[0])) / 3), x[0]),
        ScalarOp.Exponential => Math.Exp(x[0] / 2) * Math.Exp(x[0] / 2),
        ScalarOp.ExponentialMinusOne => Math.Abs(x[0]) < 1e-4 ? x[0] * (1 + (x[0] / 2 * (1 + (x[0] / 3)))) : Math.Exp(x[0]) - 1,
        ScalarOp.Log => Math.Log2(x[0]) * 0.69314718055994531,
        ScalarOp.LogPlusOne => Math.Abs(x[0]) < 1e-4 ? x[0] * (1 - (x[0] / 2 * (1 - (2 * x[0] / 3)))) : Math.Log(1 + x[0]),
        ScalarOp.Sine => Math.SinCos(x[0]).Sin,
        ScalarOp.Cosine => Math.SinCos(x[0]).Cos,
        ScalarOp.Tangent => x[0] == 0 ? x[0] : Math.Sin(x[0]) / Math.Cos(x[0]),
        ScalarOp.HyperbolicTangent => Math.Tanh(x[0]),
        ScalarOp.Logistic => x[0] < -10 ? Math.Exp(x[0]) / (1 + Math.Exp(x[0])) : 0.5 + (0.5 * Math.Tanh(x[0] / 2)),
        ScalarOp.ErrorFunction => ErrorFunction(x[0]),
        ScalarOp.Power => Math.Pow(x[0], x[1]),
        ScalarOp.ArcTangent2 => Math.Atan2(x[0], x[1]),
        _ => throw new InvalidOperationException($"{op} does not apply to floating types"),
    };

    // Adding it pushes the fraction out, rounding to even.
    private const double Shifter = 4503599627370496;

    private static double Larger(double a, double b) =>
        double.IsNaN(a) || double.IsNaN(b) ? double.NaN : a > b ? a : b > a ? b : double.IsNegative(a) ? b : a;

    // By steps of y times powers of two, each of which is exact.
    private static double Modulo(double x, double y)
    {
        if (!double.IsFinite(x) || double.IsNaN(y) || y == 0)
        {
            return double.NaN;
        }
        double rest = Math.Abs(x);
        double step = Math.Abs(y);
        while (double.IsFinite(step) && step <= rest / 2)
        {
            step *= 2;
        }
        for (; double.IsFinite(step) && step >= Math.Abs(y); step /= 2)
        {
            rest -= rest >= step ? step : 0;
        }
        return Math.CopySign(rest, x);
    }

    private static double Away(double x) => x - Math.Floor(x) >= 0.5 ? Math.Floor(x) + 1 : Math.Floor(x);

    // Simpson's rule; the integrand is smooth and tiny beyond 6.
    private static double ErrorFunction(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 6)
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }
        if (Math.Abs(x) < 1e-3)
        {
            return x * 1.1283791670955126 * (1 - (x * x / 3));
        }
        const int Steps = 2000;
        double h = x / Steps;
        double sum = 1 + Math.Exp(-x * x);
        for (int i = 1; i < Steps; i++)
        {
            sum += (i % 2 == 0 ? 2 : 4) * Math.Exp(-(i * h) * (i * h));
        }
        return sum * h / 3 * 1.1283791670955126;
    }
}
