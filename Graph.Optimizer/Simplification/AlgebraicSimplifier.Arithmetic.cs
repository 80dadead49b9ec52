namespace Graphene.Optimizer;

// Elementwise functions of the table.
public sealed partial class AlgebraicSimplifier
{
    private static Node? Unary(GraphBuilder b, Node node) => node switch
    {
        // -(-x) => x
        { Op.Name: "negate", Operands: [{ Op.Name: "negate", Operands: [var x] }] } => x,

        // !(!x) => x
        { Op.Name: "not", Operands: [{ Op.Name: "not", Operands: [var x] }] } => x,

        // !(x < y) => x >= y   only where every pair is ordered: not for floating types
        { Op.Name: "not", Operands: [{ Op: CompareOp compare, Operands: [var x, var y] } inner] }
            when inner.DType == DType.Bool && !x.DType.IsFloating()
            => b.Compare(x, y, Opposite(compare.Direction), compare.TotalOrder),

        // |-x| => |x|,  ||x|| => |x|
        { Op.Name: "abs", Operands: [{ Op.Name: "negate", Operands: [var x] }] } => b.Abs(x),
        { Op.Name: "abs", Operands: [{ Op.Name: "abs" } x] } => x,

        // Rounding what is rounded already.
        { Op.Name: "floor" or "ceil" or "round_nearest_even" or "round_nearest_afz", Operands:
            [{ Op.Name: "floor" or "ceil" or "round_nearest_even" or "round_nearest_afz" } x] } => x,

        _ => null,
    };

    private Node? Binary(GraphBuilder b, Node node)
    {
        Node x = node.Operands[0];
        Node y = node.Operands[1];
        return node.Op.Name switch
        {
            "add" => Add(b, x, y),
            "subtract" => Subtract(b, x, y),
            "multiply" => Multiply(b, x, y),
            "divide" => Divide(b, x, y),
            "power" => Power(b, x, y),
            "maximum" or "minimum" => Extremum(node, x, y),
            "and" or "or" or "xor" => Bits(b, node, x, y),
            "shift_left" or "shift_right_arithmetic" or "shift_right_logical" when Splats.Is(y, 0) => x,
            _ => null,
        };
    }

    private Node? Add(GraphBuilder b, Node x, Node y) => (x, y) switch
    {
        // x + 0 => x: for integers and bool; for floating types with -0.0 only, because -0.0 + 0.0 is 0.0
        _ when Splats.Is(y, x.DType.IsFloating() ? -0.0 : 0) => x,
        _ when Context.FastMath && Splats.Is(y, 0) => x,

        // x + -y => x - y,  -x + y => y - x
        (_, { Op.Name: "negate", Operands: [var negated] }) => b.Subtract(x, negated),
        ({ Op.Name: "negate", Operands: [var negated] }, _) => b.Subtract(y, negated),

        // (x + c) + d => x + (c + d)   where addition wraps
        ({ Op.Name: "add", Operands: [var inner, var c] }, _) when MayReassociate(x) && IsConstant(c) && IsConstant(y)
            => b.Add(inner, b.Add(c, y)),

        _ => null,
    };

    private Node? Subtract(GraphBuilder b, Node x, Node y) => (x, y) switch
    {
        // x - 0 => x, also for floating types: -0.0 - 0.0 is -0.0
        _ when Splats.Is(y, 0) => x,

        // x - x => 0   not for floating types: infinity - infinity is NaN
        _ when ReferenceEquals(x, y) && (!x.DType.IsFloating() || Context.FastMath) => Splats.Like(b, x, 0),

        // x - -y => x + y
        (_, { Op.Name: "negate", Operands: [var negated] }) => b.Add(x, negated),

        // -0.0 - y => -y,  and for integers 0 - y => -y
        _ when Splats.Is(x, x.DType.IsFloating() ? -0.0 : 0) => b.Negate(y),

        // x - c => x + -c   where subtraction wraps, so that sums meet
        _ when !x.DType.IsFloating() && Splats.ValueOf(y) is { } c
            => b.Add(x, Splats.Make(b, Scalar.FromInteger(c.DType, -c.AsInteger), x.Shape)),

        _ => null,
    };

    private Node? Multiply(GraphBuilder b, Node x, Node y) => (x, y) switch
    {
        // x * 1 => x
        _ when Splats.Is(y, 1) => x,

        // x * 0 => 0   not for floating types: 0 * NaN is NaN, 0 * -1 is -0.0
        _ when Splats.Is(y, 0) && (!x.DType.IsFloating() || Context.FastMath) => Splats.Like(b, x, 0),

        // x * -1 => -x
        _ when x.DType != DType.Bool && !x.DType.IsUnsignedInteger() && Splats.Is(y, -1) => b.Negate(x),

        // -x * -y => x * y
        ({ Op.Name: "negate", Operands: [var left] }, { Op.Name: "negate", Operands: [var right] }) => b.Multiply(left, right),

        // (x * c) * d => x * (c * d)   where multiplication wraps
        ({ Op.Name: "multiply", Operands: [var inner, var c] }, _) when MayReassociate(x) && IsConstant(c) && IsConstant(y)
            => b.Multiply(inner, b.Multiply(c, y)),

        _ => null,
    };

    private Node? Divide(GraphBuilder b, Node x, Node y)
    {
        if (Splats.Is(y, 1))
        {
            return x;
        }

        // x / 2^k => x * 2^-k   exact while 2^-k is a normal number
        if (x.DType.IsFloating() && Splats.ValueOf(y) is { } divisor && ExactReciprocal(divisor) is { } reciprocal)
        {
            return b.Multiply(x, Splats.Make(b, reciprocal, x.Shape));
        }

        // x / sqrt(y) => x * rsqrt(y)   rounds differently
        return Context.FastMath && y is { Op.Name: "sqrt", Operands: [var square] }
            ? b.Multiply(x, b.ReciprocalSquareRoot(square))
            : null;
    }

    private Node? Power(GraphBuilder b, Node x, Node y) => x.DType.IsFloating() && Splats.ValueOf(y) is { } exponent
        ? exponent.AsDouble switch
        {
            0 => Splats.Like(b, x, 1), // also for NaN
            1 => x,
            2 => b.Multiply(x, x), // correctly rounded, which power may or may not be
            -1 => b.Divide(Splats.Like(b, x, 1), x),
            0.5 when Context.FastMath => b.SquareRoot(x), // differs for -0.0 and -infinity
            _ => null,
        }
        : null;

    // max(x, x) => x,  max(x, lowest) => x,  and the other way round; NaN passes through both
    private static Node? Extremum(Node node, Node x, Node y)
    {
        Scalar neutral = node.Op.Name == "maximum" ? Scalar.Lowest(x.DType) : Scalar.Highest(x.DType);
        return ReferenceEquals(x, y) || Splats.Is(y, neutral) ? x : null;
    }

    private static Node? Bits(GraphBuilder b, Node node, Node x, Node y) => node.Op.Name switch
    {
        "and" when ReferenceEquals(x, y) || Splats.IsAllOnes(y) => x,
        "and" when Splats.Is(y, 0) => y,
        "or" when ReferenceEquals(x, y) || Splats.Is(y, 0) => x,
        "or" when Splats.IsAllOnes(y) => y,
        "xor" when ReferenceEquals(x, y) => Splats.Like(b, x, 0),
        "xor" when Splats.Is(y, 0) => x,
        _ => null,
    };

    // Additions and multiplications of integers wrap, so they may be grouped in any way.
    private bool MayReassociate(Node x) => !x.DType.IsFloating() || Context.FastMath;

    private static Scalar? ExactReciprocal(Scalar value)
    {
        double x = value.AsDouble;
        if (x == 0 || !double.IsFinite(x) || Math.ScaleB(1, Math.ILogB(x)) != Math.Abs(x))
        {
            return null;
        }
        // Both must be normal in the element type, else the product may round (or the factor be flushed) where the quotient does not.
        int limit = value.DType switch { DType.F16 => 14, DType.F64 => 1022, _ => 126 };
        return Math.Abs(Math.ILogB(x)) <= limit ? Scalar.FromDouble(value.DType, 1 / x) : null;
    }
}
