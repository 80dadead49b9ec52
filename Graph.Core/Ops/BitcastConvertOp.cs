namespace Graphene;

/// <summary>The same bits as elements of another dtype.</summary>
/// <remarks>
/// Equal widths: the same shape. To a narrower type: a new last dimension counts the pieces of an element, lowest bits first. To a
/// wider type: the last dimension, which must count exactly the pieces, vanishes. A bool is one bit. Source: StableHLO
/// specification, bitcast_convert; labels are the specification's.
/// </remarks>
/// <param name="Type">The dtype of the result.</param>
public sealed record BitcastConvertOp(DType Type) : Op("bitcast_convert")
{
    /// <summary>Makes the op from the written result type.</summary>
    public static Op Parse(AttributeReader a) => new BitcastConvertOp(a.ResultType.DType);

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.RequireDType(0, DTypeSet.All);
        site.Require(DTypeSet.All.Contains(Type), DiagnosticId.DTypeNotAccepted, $"cannot convert to {Type.Name()}");
        int from = BitsOf(x.DType);
        int to = BitsOf(Type);
        if (from > to)
        {
            return new TensorType(Type, Shape.From([.. x.Shape, from / to])); // C1
        }
        if (from == to)
        {
            return new TensorType(Type, x.Shape); // C1
        }
        site.Require( // C1, C2
            x.Rank > 0 && site.CanBeEqual(x.Shape[x.Rank - 1], to / from), DiagnosticId.ShapeMismatch,
            $"the last dimension of {x} does not hold the {to / from} pieces of a {Type.Name()}",
            fix: $"reshape the operand so that its last dimension is {to / from}");
        return new TensorType(Type, Shape.From(x.Shape.Take(x.Rank - 1)));
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal x = operands[0];
        int from = BitsOf(x.DType);
        int to = BitsOf(Type);
        long position = 0; // in bits of the operand's row-major content
        return Literal.Generate(result, _ =>
        {
            ulong bits = 0;
            for (int i = 0; i < to; i++, position++)
            {
                bits |= (x[position / from].Bits >> (int)(position % from) & 1) << i;
            }
            return Scalar.FromBits(Type, bits);
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        DType source = e.OperandType(0).DType;
        int from = BitsOf(source);
        int to = BitsOf(Type);
        if (from == to)
        {
            return e.Bitcast(e.Operand(0, at), Type);
        }
        DType wide = UnsignedOf(from > to ? source : Type);
        if (from > to)
        {
            ScalarExpr bits = Bits(e, e.Operand(0, IndexVector.From(at.Take(at.Count - 1))), wide);
            ScalarExpr amount = e.Convert(e.Multiply(at[at.Count - 1], e.Index(to)), wide);
            return FromBits(e, e.Call(ScalarOp.ShiftRightLogical, bits, amount), Type);
        }
        ScalarExpr joined = e.Constant(wide, 0);
        for (int i = 0; i < to / from; i++)
        {
            ScalarExpr piece = Bits(e, e.Operand(0, IndexVector.From([.. at, e.Index(i)])), wide);
            joined = e.Call(ScalarOp.Or, joined, e.Call(ScalarOp.ShiftLeft, piece, e.Constant(wide, i * from)));
        }
        return FromBits(e, joined, Type);
    }

    private static int BitsOf(DType type) => type == DType.Bool ? 1 : type.SizeInBits();

    private static DType UnsignedOf(DType type) => BitsOf(type) switch
    {
        1 => DType.Bool,
        8 => DType.U8,
        16 => DType.U16,
        32 => DType.U32,
        _ => DType.U64,
    };

    private static ScalarExpr Bits(ElementBuilder e, ScalarExpr x, DType wide) =>
        e.Convert(e.Bitcast(x, UnsignedOf(x.DType)), wide);

    private static ScalarExpr FromBits(ElementBuilder e, ScalarExpr bits, DType type) => type == DType.Bool
        ? e.NotEqual(e.Call(ScalarOp.And, bits, e.Constant(bits.DType, 1)), e.Constant(bits.DType, 0))
        : e.Bitcast(e.Convert(bits, UnsignedOf(type)), type);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("bits have no derivative");

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Add(this, [.. site.AllMapped()])];
}

/// <summary>Builds reinterpretations.</summary>
public static class BitcastConvertBuilder
{
    /// <summary>The bits of <paramref name="x"/> as elements of another dtype.</summary>
    public static Node BitcastConvert(this GraphBuilder b, Node x, DType type) =>
        x.DType == type ? x : b.Add(new BitcastConvertOp(type), x);
}
