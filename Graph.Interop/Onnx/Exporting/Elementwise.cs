using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Elementwise functions in ONNX's operators.</summary>
/// <remarks>
/// Where ONNX has no such function, a formula stands that is as accurate to a few units in the last place. What ONNX leaves
/// open stays open: division by an integer zero, and numbers out of range of the integer type that they are converted to.
/// </remarks>
internal static class Elementwise
{
    private static readonly Dictionary<string, Func<ElementwiseSite, string[], string>> Functions = new(StringComparer.Ordinal)
    {
        ["abs"] = (e, x) => e.Apply("Abs", x),
        ["add"] = (e, x) => e.Apply(e.IsBool ? "Or" : "Add", x),
        ["and"] = (e, x) => e.Apply(e.IsBool ? "And" : "BitwiseAnd", x),
        ["atan2"] = (e, x) => e.Wide(x, ArcTangent),
        ["cbrt"] = (e, x) => e.Wide(x, CubeRoot),
        ["ceil"] = (e, x) => e.Apply("Ceil", x),
        ["cosine"] = (e, x) => e.Wide(x, (w, y) => w.Apply("Cos", y)),
        ["divide"] = (e, x) => e.Apply("Div", x),
        ["erf"] = (e, x) => e.Apply("Erf", x),
        ["exponential"] = (e, x) => e.Apply("Exp", x),
        ["exponential_minus_one"] = (e, x) => e.Wide(x, ExponentialMinusOne),
        ["floor"] = (e, x) => e.Apply("Floor", x),
        ["is_finite"] = (e, x) => e.Apply("Less", e.Apply("Abs", x), e.Number(double.PositiveInfinity)),
        ["log"] = (e, x) => e.Apply("Log", x),
        ["log_plus_one"] = (e, x) => e.Wide(x, LogPlusOne),
        ["logistic"] = (e, x) => e.Apply("Sigmoid", x),
        ["maximum"] = (e, x) => e.Apply(e.IsBool ? "Or" : "Max", x),
        ["minimum"] = (e, x) => e.Apply(e.IsBool ? "And" : "Min", x),
        ["multiply"] = (e, x) => e.Apply(e.IsBool ? "And" : "Mul", x),
        ["negate"] = (e, x) => e.Type.IsUnsignedInteger() ? e.Apply("Sub", e.Number(0), x[0]) : e.Apply("Neg", x),
        ["not"] = (e, x) => e.Apply(e.IsBool ? "Not" : "BitwiseNot", x),
        ["or"] = (e, x) => e.Apply(e.IsBool ? "Or" : "BitwiseOr", x),
        ["power"] = Power,
        ["remainder"] = (e, x) => e.Apply("Mod", Int("fmod", 1), x),
        ["round_nearest_afz"] = RoundAwayFromZero,
        ["round_nearest_even"] = (e, x) => e.Wide(x, (w, y) => w.Apply("Round", y)),
        ["rsqrt"] = (e, x) => e.Apply("Reciprocal", e.Apply("Sqrt", x)),
        ["shift_left"] = (e, x) => Shift(e, x, "LEFT"),
        ["shift_right_logical"] = (e, x) => Shift(e, x, "RIGHT"),
        ["sign"] = (e, x) => e.Apply("Sign", x),
        ["sine"] = (e, x) => e.Wide(x, (w, y) => w.Apply("Sin", y)),
        ["sqrt"] = (e, x) => e.Apply("Sqrt", x),
        ["subtract"] = (e, x) => e.Apply("Sub", x),
        ["tan"] = (e, x) => e.Wide(x, (w, y) => w.Apply("Tan", y)),
        ["tanh"] = (e, x) => e.Apply("Tanh", x),
        ["xor"] = (e, x) => e.Apply(e.IsBool ? "Xor" : "BitwiseXor", x),
    };

    public static IEnumerable<ExportRow> Rows => ElementwiseTable.All
        .Where(fn => Functions.ContainsKey(fn.Name))
        .Select(fn => new ExportRow(fn.Name, site => Export(site, fn)));

    private static void Export(ExportSite site, ElementwiseFn fn)
    {
        // max(x, 0) has a name.
        if (fn == ElementwiseTable.Maximum && site.Node.DType.IsFloating() &&
            Array.FindIndex(site.Operands, o => o.SingleElement is { Bits: 0 }) is >= 0 and var zero)
        {
            Pointwise.Export(site, [site.Operands[1 - zero]], x => site.Graph.Add("Relu", x));
            return;
        }
        var e = new ElementwiseSite(site.Graph, site.Operands[0].Type.DType);
        if (fn == ElementwiseTable.ArcTangent2 && site.Operands[1].SingleElement == Scalar.One(e.Type))
        {
            Pointwise.Export(site, [site.Operands[0]], x => e.Wide(x, (w, y) => w.Apply("Atan", y)));
            return;
        }
        Pointwise.Export(site, site.Operands, x => Functions[fn.Name](e, x));
    }

    // The angle of the point without signs, which also two zeros and two infinities have; then the signs.
    private static string ArcTangent(ElementwiseSite e, string[] x)
    {
        (string y, string abscissa) = (e.Apply("Abs", x[0]), e.Apply("Abs", x[1]));
        string diagonal = e.Apply("Where", e.Apply("Equal", y, e.Number(0)), y, e.Number(Math.PI / 4));
        string angle = e.Apply(
            "Where", e.Apply("Equal", y, abscissa), diagonal, e.Apply("Atan", e.Apply("Div", y, abscissa)));
        angle = e.Apply("Where", IsNegative(x[1]), e.Apply("Sub", e.Number(Math.PI), angle), angle);
        return e.Apply("Where", IsNegative(x[0]), e.Apply("Neg", angle), angle);

        // -0 is negative, too: its reciprocal is.
        string IsNegative(string value) => e.Apply(
            "Or", e.Apply("Less", value, e.Number(0)), e.Apply("Less", e.Apply("Reciprocal", value), e.Number(0)));
    }

    // A power with a rounded third as exponent, then a step of Newton's method: y - (y - m / y^2) / 3.
    private static string CubeRoot(ElementwiseSite e, string[] x)
    {
        string magnitude = e.Apply("Abs", x);
        string root = e.Apply("Pow", magnitude, e.Number(1 / 3.0));
        string error = e.Apply("Sub", root, e.Apply("Div", magnitude, e.Apply("Mul", root, root)));
        string better = e.Apply("Sub", root, e.Apply("Div", error, e.Number(3)));
        string isFinite = e.Apply(
            "And", e.Apply("Less", root, e.Number(double.PositiveInfinity)), e.Apply("Greater", root, e.Number(0)));
        return e.Apply("Mul", e.Apply("Sign", x), e.Apply("Where", isFinite, better, root));
    }

    // Near 0 by 2 t / (1 - t) with t = tanh(x / 2), where e^x - 1 would cancel.
    private static string ExponentialMinusOne(ElementwiseSite e, string[] x)
    {
        string t = e.Apply("Tanh", e.Apply("Mul", x[0], e.Number(0.5)));
        string near = e.Apply("Div", e.Apply("Mul", t, e.Number(2)), e.Apply("Sub", e.Number(1), t));
        string far = e.Apply("Sub", e.Apply("Exp", x), e.Number(1));
        return e.Apply("Where", e.Apply("Less", e.Apply("Abs", x), e.Number(1)), near, far);
    }

    // With u = 1 + x rounded: log(u) x / (u - 1) takes the rounding back (Goldberg, 1991, theorem 4).
    private static string LogPlusOne(ElementwiseSite e, string[] x)
    {
        string one = e.Number(1);
        string u = e.Apply("Add", x[0], one);
        string log = e.Apply("Log", u);
        string corrected = e.Apply("Div", e.Apply("Mul", log, x[0]), e.Apply("Sub", u, one));
        string far = e.Apply("Where", e.Apply("Equal", u, x[0]), log, corrected);
        return e.Apply("Where", e.Apply("Equal", u, one), x[0], far);
    }

    private static string Power(ElementwiseSite e, string[] x)
    {
        if (e.Type.IsFloating() || e.Type is DType.I32 or DType.I64)
        {
            return e.Apply("Pow", x);
        }
        if (e.Type == DType.U64)
        {
            throw new NoOnnxFormException("ONNX has no power of u64");
        }
        return e.Cast(e.Apply("Pow", e.Cast(x[0], DType.I64), e.Cast(x[1], DType.I64)), e.Type); // wraps as narrow ones would
    }

    // Round takes ties to even. The rest behind the point is exact.
    private static string RoundAwayFromZero(ElementwiseSite e, string[] x)
    {
        string magnitude = e.Apply("Abs", x);
        string whole = e.Apply("Floor", magnitude);
        string isUp = e.Apply("GreaterOrEqual", e.Apply("Sub", magnitude, whole), e.Number(0.5));
        string rounded = e.Apply("Where", isUp, e.Apply("Add", whole, e.Number(1)), whole);
        return e.Apply("Mul", e.Apply("Sign", x), rounded);
    }

    // ONNX leaves open what a shift by the width or more gives.
    private static string Shift(ElementwiseSite e, string[] x, string direction)
    {
        if (!e.Type.IsUnsignedInteger())
        {
            throw new NoOnnxFormException($"ONNX shifts unsigned integers only, not {e.Type.Name()}");
        }
        int width = e.Type.SizeInBits();
        string shifted = e.Apply(
            "BitShift", Text("direction", direction), x[0], e.Apply("Min", x[1], e.Number(width - 1)));
        return e.Apply("Where", e.Apply("Less", x[1], e.Number(width)), shifted, e.Number(0));
    }
}
