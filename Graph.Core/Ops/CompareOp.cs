namespace Graphene;

/// <summary>What <see cref="CompareOp"/> asks.</summary>
public enum CompareDirection
{
    /// <summary>Equal.</summary>
    EQ,

    /// <summary>Not equal.</summary>
    NE,

    /// <summary>Less than.</summary>
    LT,

    /// <summary>Less than or equal.</summary>
    LE,

    /// <summary>Greater than.</summary>
    GT,

    /// <summary>Greater than or equal.</summary>
    GE,
}

/// <summary>Compares two tensors element by element.</summary>
/// <remarks>
/// Operands: one shape, one dtype, any. Result: bool. Floating point as IEEE 754: -0.0 equals 0.0, and with a NaN only NE holds.
/// In total order -NaN &lt; -inf &lt; ... &lt; -0.0 &lt; 0.0 &lt; ... &lt; inf &lt; NaN, and every value equals itself. false is
/// less than true. Source: StableHLO specification, compare; labels are the specification's.
/// </remarks>
/// <param name="Direction">The question.</param>
/// <param name="TotalOrder">True to order all bit patterns of floating types; of no effect on others.</param>
public sealed record CompareOp(CompareDirection Direction, bool TotalOrder = false) : Op("compare")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) =>
        new CompareOp(a.Choice<CompareDirection>("direction"), a.Has("total_order") && a.Bool("total_order"));

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("direction", Direction.ToString());
        if (TotalOrder)
        {
            w.Add("total_order", true);
        }
    }

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(2);
        TensorType x = site.RequireDType(0, DTypeSet.All);
        site.RequireSameDType(0, 1); // C1
        site.RequireSameShape(0, 1); // C2
        return new TensorType(DType.Bool, x.Shape);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        long position = 0;
        return Literal.Generate(result, _ =>
        {
            Scalar x = operands[0][position];
            Scalar y = operands[1][position++];
            int? order = x.DType.IsFloating() && !TotalOrder ? Order(x.AsDouble, y.AsDouble) : Rank(x).CompareTo(Rank(y));
            return Scalar.FromBool(Direction switch
            {
                CompareDirection.EQ => order == 0,
                CompareDirection.NE => order != 0,
                CompareDirection.LT => order < 0,
                CompareDirection.LE => order <= 0,
                CompareDirection.GT => order > 0,
                _ => order >= 0,
            });
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        ScalarExpr x = Key(e, e.Operand(0, at));
        ScalarExpr y = Key(e, e.Operand(1, at));
        return Direction switch
        {
            CompareDirection.EQ => e.Equal(x, y),
            CompareDirection.NE => e.NotEqual(x, y),
            CompareDirection.LT => e.Less(x, y),
            CompareDirection.LE => e.LessOrEqual(x, y),
            CompareDirection.GT => e.Less(y, x),
            _ => e.LessOrEqual(y, x),
        };
    }

    private static int? Order(double x, double y) => x == y ? 0 : x < y ? -1 : x > y ? 1 : null;

    // Sign and magnitude as one signed number; -0.0 stands at -1, just below 0.0.
    private static Int128 Rank(Scalar value)
    {
        if (!value.DType.IsFloating())
        {
            return value.AsInteger;
        }
        UInt128 signBit = (UInt128)1 << (value.DType.SizeInBits() - 1);
        return value.Bits >= signBit ? -(Int128)(value.Bits - signBit) - 1 : value.Bits;
    }

    // Two's complement that orders like the float: negative ones have their magnitude bits flipped.
    private ScalarExpr Key(ElementBuilder e, ScalarExpr x)
    {
        if (!TotalOrder || !x.DType.IsFloating())
        {
            return x;
        }
        DType integer = x.DType.SizeInBits() switch { 16 => DType.I16, 32 => DType.I32, _ => DType.I64 };
        ScalarExpr bits = e.Bitcast(x, integer);
        ScalarExpr sign = e.Call(ScalarOp.ShiftRightArithmetic, bits, e.Constant(integer, x.DType.SizeInBits() - 1));
        return e.Call(ScalarOp.Xor, bits, e.Call(ScalarOp.ShiftRightLogical, sign, e.Constant(integer, 1)));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("the result is bool");

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Add(this, [.. site.AllMapped()])];
}

/// <summary>Builds comparisons.</summary>
public static class CompareBuilder
{
    /// <summary>Compares two tensors of one type; result bool.</summary>
    public static Node Compare(
        this GraphBuilder b, Node x, Node y, CompareDirection direction, bool totalOrder = false) =>
        b.Add(new CompareOp(direction, totalOrder), x, y);

    /// <summary>x == y.</summary>
    public static Node Equal(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.EQ);

    /// <summary>x != y.</summary>
    public static Node NotEqual(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.NE);

    /// <summary>x &lt; y.</summary>
    public static Node Less(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.LT);

    /// <summary>x &lt;= y.</summary>
    public static Node LessOrEqual(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.LE);

    /// <summary>x &gt; y.</summary>
    public static Node Greater(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.GT);

    /// <summary>x &gt;= y.</summary>
    public static Node GreaterOrEqual(this GraphBuilder b, Node x, Node y) => b.Compare(x, y, CompareDirection.GE);
}
