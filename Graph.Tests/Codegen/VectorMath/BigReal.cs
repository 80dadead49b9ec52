using System.Numerics;

namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>A real number of some 300 bits, for references: slow and plain.</summary>
/// <param name="Digits">The significand.</param>
/// <param name="Exponent">The value is digits times two to this.</param>
internal readonly record struct BigReal(BigInteger Digits, int Exponent)
{
    private const int Precision = 300;

    public static readonly BigReal Zero = new(0, 0);
    public static readonly BigReal One = new(1, 0);
    public static readonly BigReal Ln2 = LogByAtanh(new BigReal(2, 0));
    public static readonly BigReal Pi = (AtanSeries(One / 5) * 16) - (AtanSeries(One / 239) * 4);

    // Enough for the largest f64 modulo a quarter turn.
    private const int PiDigits = 1500;
    private static readonly BigInteger HalfPiScaled = (AtanOfInverse(5) * 8) - (AtanOfInverse(239) * 2);

    public int Sign => Digits.Sign;

    /// <summary>The exponent of the leading bit.</summary>
    public int Magnitude => Digits.IsZero ? int.MinValue / 2 : (int)BigInteger.Abs(Digits).GetBitLength() - 1 + Exponent;

    public static implicit operator BigReal(int value) => new(value, 0);

    public static implicit operator BigReal(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int field = (int)(bits >> 52) & 0x7FF;
        long fraction = bits & ((1L << 52) - 1);
        long digits = field == 0 ? fraction : fraction | (1L << 52);
        return new BigReal(bits < 0 ? -digits : digits, Math.Max(field, 1) - 1075);
    }

    public static BigReal operator +(BigReal a, BigReal b)
    {
        if (a.Sign == 0 || b.Sign == 0)
        {
            return a.Sign == 0 ? b : a;
        }
        (BigReal high, BigReal low) = a.Exponent >= b.Exponent ? (a, b) : (b, a);
        int distance = high.Exponent - low.Exponent;
        return distance > 4 * Precision
            ? (a.Magnitude > b.Magnitude ? a : b)
            : new BigReal((high.Digits << distance) + low.Digits, low.Exponent).Rounded();
    }

    public static BigReal operator -(BigReal a) => new(-a.Digits, a.Exponent);

    public static BigReal operator -(BigReal a, BigReal b) => a + -b;

    public static BigReal operator *(BigReal a, BigReal b) => new BigReal(a.Digits * b.Digits, a.Exponent + b.Exponent).Rounded();

    public static BigReal operator /(BigReal a, BigReal b)
    {
        int shift = Math.Max(0, Precision + (int)BigInteger.Abs(b.Digits).GetBitLength() - (int)BigInteger.Abs(a.Digits).GetBitLength());
        return new BigReal((a.Digits << shift) / b.Digits, a.Exponent - shift - b.Exponent).Rounded();
    }

    public static bool operator <(BigReal a, BigReal b) => (a - b).Sign < 0;

    public static bool operator >(BigReal a, BigReal b) => (a - b).Sign > 0;

    public BigReal Abs() => new(BigInteger.Abs(Digits), Exponent);

    public BigReal Scale(int power) => new(Digits, Exponent + power);

    /// <summary>The nearest integer.</summary>
    public BigInteger Round() => Exponent >= 0
        ? Digits << Exponent
        : Exponent < -100 * Precision ? 0 : (Digits + (BigInteger.One << (-Exponent - 1))) >> -Exponent;

    /// <summary>To about 53 bits, infinite or zero out of range.</summary>
    public double ToDouble()
    {
        int excess = Math.Max(0, (int)BigInteger.Abs(Digits).GetBitLength() - 62);
        return Math.ScaleB((double)(long)(Digits >> excess), Exponent + excess);
    }

    /// <summary>How far an f64 is from this value, in units of its last place.</summary>
    public double UlpsTo(double actual)
    {
        int exponent = Math.Min(Math.Max(Magnitude, -1022), 1023) - 52;
        BigReal limit = new(1, 1024);
        BigReal there = double.IsFinite(actual) ? actual : double.IsNegative(actual) ? -limit : limit;
        BigReal here = Abs() > limit ? (Sign < 0 ? -limit : limit) : this;
        return double.IsNaN(actual) ? double.PositiveInfinity : (there - here).Abs().Scale(-exponent).ToDouble();
    }

    public static BigReal Exp(BigReal x)
    {
        BigInteger n = (x / Ln2).Round();
        BigReal r = (x - (new BigReal(n, 0) * Ln2)).Scale(-16);
        BigReal sum = One;
        BigReal term = One;
        for (int i = 1; term.Sign != 0 && term.Magnitude > -Precision; i++)
        {
            term = term * r / i;
            sum += term;
        }
        for (int i = 0; i < 16; i++)
        {
            sum *= sum;
        }
        return sum.Scale((int)n);
    }

    public static BigReal Log(BigReal x)
    {
        int e = x.Magnitude;
        return LogByAtanh(x.Scale(-e)) + (Ln2 * e);
    }

    /// <summary>Of a number of at least 0.</summary>
    public static (BigReal Sin, BigReal Cos) SinCos(BigReal x)
    {
        BigInteger scaled = x.Exponent + PiDigits >= 0 ? x.Digits << (x.Exponent + PiDigits) : x.Digits >> -(x.Exponent + PiDigits);
        BigInteger n = ((scaled << 1) + HalfPiScaled) / (HalfPiScaled << 1);
        BigReal r = n.IsZero ? x : new BigReal(scaled - (n * HalfPiScaled), -PiDigits).Rounded();
        BigReal square = r * r;
        BigReal sine = Zero;
        BigReal cosine = Zero;
        BigReal term = One;
        for (int i = 0; term.Sign != 0 && term.Magnitude > -2 * Precision; i += 2)
        {
            cosine += term;
            sine += term * r / (i + 1);
            term = -(term * square) / ((i + 1) * (i + 2));
        }
        return (int)(n & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }

    /// <summary>The arc tangent of a number of at least 0.</summary>
    public static BigReal Atan(BigReal x)
    {
        if (x > One)
        {
            return Pi.Scale(-1) - Atan(One / x);
        }
        int halvings = 0;
        for (; x.Magnitude > -6 && x.Sign != 0; halvings++)
        {
            x = x / (One + Sqrt(One + (x * x)));
        }
        return AtanSeries(x).Scale(halvings);
    }

    public static BigReal Sqrt(BigReal x) => Root(x, 2);

    /// <summary>The root of a positive number.</summary>
    public static BigReal Root(BigReal x, int degree)
    {
        BigReal y = new BigReal(1, x.Magnitude / degree);
        for (int i = 0; i < 400; i++)
        {
            BigReal power = One;
            for (int k = 1; k < degree; k++)
            {
                power *= y;
            }
            BigReal next = ((y * (degree - 1)) + (x / power)) / degree;
            bool isDone = (next - y).Magnitude < y.Magnitude - Precision + 8;
            y = next;
            if (isDone)
            {
                break;
            }
        }
        return y;
    }

    /// <summary>2/sqrt(pi) e^(-x^2) times the sum of 2^n x^(2n+1)/(2n+1)!!, which has no cancellation.</summary>
    public static BigReal Erf(BigReal x)
    {
        BigReal square = x * x;
        BigReal term = x;
        BigReal sum = x;
        for (int i = 1; term.Sign != 0 && term.Magnitude > sum.Magnitude - Precision; i++)
        {
            term = term * square * 2 / ((2 * i) + 1);
            sum += term;
        }
        return sum * Exp(-square) * 2 / Sqrt(Pi);
    }

    private static BigReal LogByAtanh(BigReal x)
    {
        BigReal s = (x - One) / (x + One);
        BigReal square = s * s;
        BigReal sum = Zero;
        BigReal power = s;
        for (int i = 1; power.Sign != 0 && power.Magnitude > s.Magnitude - Precision; i += 2)
        {
            sum += power / i;
            power *= square;
        }
        return sum.Scale(1);
    }

    // atan(1/n) times 2^PiDigits
    private static BigInteger AtanOfInverse(int n)
    {
        const int Guard = 64;
        BigInteger power = (BigInteger.One << (PiDigits + Guard)) / n;
        BigInteger sum = 0;
        for (int i = 1; !power.IsZero; i += 2)
        {
            sum += (i & 2) == 0 ? power / i : -(power / i);
            power /= n * n;
        }
        return sum >> Guard;
    }

    private static BigReal AtanSeries(BigReal x)
    {
        BigReal square = -(x * x);
        BigReal sum = Zero;
        BigReal power = x;
        for (int i = 1; power.Sign != 0 && power.Magnitude > x.Magnitude - Precision; i += 2)
        {
            sum += power / i;
            power *= square;
        }
        return sum;
    }

    private BigReal Rounded()
    {
        int excess = (int)BigInteger.Abs(Digits).GetBitLength() - Precision;
        return excess <= 0 ? this : new BigReal(Digits >> excess, Exponent + excess);
    }
}
