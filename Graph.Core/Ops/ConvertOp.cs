using System.Collections.Immutable;

namespace Graphene;

/// <summary>Converts each element to another dtype by value.</summary>
/// <remarks>
/// To a floating type: rounded once to nearest, ties to even; what is too large becomes infinite. Floating to integer: truncated
/// towards zero; what is out of range becomes the nearest end of the range, NaN becomes 0. Integer to integer: wraps. To bool:
/// false for zero (of either sign), true for anything else, NaN included. From bool: 0 or 1. Source: StableHLO specification,
/// convert, which leaves the floating-to-integer corners open.
/// </remarks>
/// <param name="Type">The dtype of the result.</param>
public sealed record ConvertOp(DType Type) : Op("convert")
{
    /// <summary>Makes the op from the written result type.</summary>
    public static Op Parse(AttributeReader a) => new ConvertOp(a.ResultType.DType);

    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.RequireDType(0, DTypeSet.All);
        site.Require(
            DTypeSet.All.Contains(Type), DiagnosticId.DTypeNotAccepted, $"cannot convert to {Type.Name()}",
            why: $"accepted element types: {DTypeSet.All.Describe()}");
        return new TensorType(Type, x.Shape);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        long position = 0;
        return Literal.Generate(result, _ => ConvertValue(operands[0][position++], Type));
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) => e.Convert(e.Operand(0, at), Type);

    /// <summary>One element by value, as the remarks define it.</summary>
    public static Scalar ConvertValue(Scalar value, DType type)
    {
        if (value.DType == type)
        {
            return value;
        }
        if (!value.DType.IsFloating())
        {
            return type.IsFloating() ? Round(value.AsInteger, type) : Scalar.FromInteger(type, value.AsInteger);
        }
        double x = value.AsDouble;
        if (type.IsFloating())
        {
            return Scalar.FromDouble(type, x);
        }
        if (type == DType.Bool)
        {
            return Scalar.FromBool(x != 0);
        }
        if (double.IsNaN(x))
        {
            return Scalar.Zero(type);
        }
        Int128 lowest = Scalar.Lowest(type).AsInteger;
        Int128 highest = Scalar.Highest(type).AsInteger;
        return Scalar.FromInteger(
            type, x <= (double)lowest ? lowest : x >= (double)highest ? highest : (Int128)Math.Truncate(x));
    }

    // A double with its last bit set whenever bits are lost (rounding to odd): the second rounding is then correct.
    private static Scalar Round(Int128 value, DType type)
    {
        var magnitude = (UInt128)Int128.Abs(value);
        int excess = 128 - (int)UInt128.LeadingZeroCount(magnitude) - 53;
        if (excess <= 0)
        {
            return Scalar.FromDouble(type, (double)value);
        }
        if (type == DType.F64)
        {
            return Scalar.FromDouble(type, value < 0 ? (double)(long)value : (double)(ulong)value);
        }
        UInt128 kept = magnitude >> excess;
        kept |= kept << excess == magnitude ? 0u : 1u;
        return Scalar.FromDouble(type, Math.ScaleB((double)kept, excess) * (value < 0 ? -1 : 1));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut("between floating types; ends at all others");

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        [self.Operands[0].DType.IsFloating() ? b.Convert(cotangent, self.Operands[0].DType) : null];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        tangents[0] is { } tangent && Type.IsFloating() ? b.Convert(tangent, Type) : null;

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Add(this, [.. site.AllMapped()])];
}

/// <summary>Builds conversions.</summary>
public static class ConvertBuilder
{
    /// <summary>The elements of <paramref name="x"/> as another dtype, by value.</summary>
    public static Node Convert(this GraphBuilder b, Node x, DType type) => x.DType == type ? x : b.Add(new ConvertOp(type), x);
}
