using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Conversions between any two of ONNX's element types, those included that Graphene holds in wider ones.</summary>
internal static class SmallTypes
{
    private const int E8M0NaN = 0xff;
    private const int E8M0Largest = 0xfe;

    /// <summary>Converts a node that holds one ONNX type into one that holds another.</summary>
    /// <param name="b">Makes nodes.</param>
    /// <param name="x">The node.</param>
    /// <param name="from">What it holds.</param>
    /// <param name="to">What the result holds.</param>
    /// <param name="saturate">For 8-bit floats: true when what is too large becomes the largest value.</param>
    /// <param name="roundMode">For f8e8m0: up, down or nearest.</param>
    public static Node Convert(
        GraphBuilder b, Node x, OnnxDataType from, OnnxDataType to, bool saturate = true, string roundMode = "up")
    {
        if (from == to)
        {
            return x;
        }
        if (OnnxTypes.IsSmallFloat(from))
        {
            x = Decode(b, x, from);
        }
        DType storage = OnnxTypes.Storage(to, "a conversion");
        if (to == OnnxDataType.Float8E8M0)
        {
            return EncodePowerOfTwo(b, b.Convert(x, DType.F32), saturate, roundMode);
        }
        if (SmallFloatFormat.Find(to) is { } format)
        {
            return Encode(b, b.Convert(x, DType.F32), format, saturate || to == OnnxDataType.Float4E2M1);
        }
        return to switch
        {
            OnnxDataType.Bool => x.DType == DType.Bool ? x : b.Compare(x, b.Like(x, 0), CompareDirection.NE),
            OnnxDataType.Int4 or OnnxDataType.Int2 or OnnxDataType.UInt4 or OnnxDataType.UInt2 => Wrap(b, x, to),
            _ => b.Convert(x, storage),
        };
    }

    /// <summary>The values of codes, in f32.</summary>
    public static Node Decode(GraphBuilder b, Node codes, OnnxDataType type)
    {
        float[] values = type == OnnxDataType.Float8E8M0
            ? [.. Enumerable.Range(0, E8M0NaN).Select(e => MathF.ScaleB(1, e - 127)), float.NaN]
            : SmallFloatFormat.Find(type)!.Values();
        Node table = b.Constant(Literal.From<float>(values, values.Length));
        return b.Take(table, b.Convert(codes, DType.I32), 0);
    }

    // Keeps the low bits, as ONNX does with integers that do not fit; floats are truncated first.
    private static Node Wrap(GraphBuilder b, Node x, OnnxDataType to)
    {
        int bits = to is OnnxDataType.Int4 or OnnxDataType.UInt4 ? 4 : 2;
        Node whole = b.Convert(x, DType.I32);
        Node shift = b.Like(whole, 32 - bits);
        Node left = b.ShiftLeft(whole, shift);
        bool signed = to is OnnxDataType.Int4 or OnnxDataType.Int2;
        return b.Convert(
            signed ? b.ShiftRightArithmetic(left, shift) : b.ShiftRightLogical(left, shift), signed ? DType.I8 : DType.U8);
    }

    private static Node Encode(GraphBuilder b, Node x, SmallFloatFormat format, bool saturate)
    {
        float[] steps = format.Thresholds();
        Shape wide = Shape.From([.. x.Shape, steps.Length]);
        Node thresholds = b.BroadcastInDim(b.Constant(Literal.From<float>(steps, steps.Length)), wide, [x.Rank]);
        Node magnitude = b.BroadcastInDim(b.Abs(x), wide, Axes.Range(x.Rank));
        Node beyond = b.Convert(b.Compare(magnitude, thresholds, CompareDirection.GE), DType.I32);
        Node code = b.ReduceSum(beyond, [x.Rank]);
        if (saturate)
        {
            code = b.Minimum(code, b.Like(code, format.Largest));
        }
        Node signBit = b.ShiftLeft(
            b.ShiftRightLogical(b.BitcastConvert(x, DType.I32), b.Like(code, 31)),
            b.Like(code, Math.Log2(format.SignBit)));
        if (!format.HasNegativeZero)
        {
            signBit = b.Select(b.Compare(code, b.Like(code, 0), CompareDirection.EQ), b.Like(code, 0), signBit);
        }
        Node isNaN = b.Compare(x, x, CompareDirection.NE);
        return b.Convert(b.Select(isNaN, b.Like(code, format.NaN), b.Or(code, signBit)), DType.U8);
    }

    // The code is f32's biased exponent, plus one when rounding goes up; code 0 is 2^-127, a subnormal f32 of mantissa 0x400000.
    private static Node EncodePowerOfTwo(GraphBuilder b, Node x, bool saturate, string roundMode)
    {
        Node bits = b.BitcastConvert(b.Abs(x), DType.I32);
        Node exponent = b.ShiftRightLogical(bits, b.Like(bits, 23));
        Node mantissa = b.And(bits, b.Like(bits, 0x7fffff));
        Node isSubnormal = b.Compare(exponent, b.Like(bits, 0), CompareDirection.EQ);
        Node limit = roundMode switch
        {
            "up" => b.Select(isSubnormal, b.Like(bits, 0x400000), b.Like(bits, 0)),
            "nearest" => b.Select(isSubnormal, b.Like(bits, 0x5fffff), b.Like(bits, 0x3fffff)),
            _ => b.Like(bits, 0x7fffff),
        };
        Node up = b.Convert(b.Compare(mantissa, limit, CompareDirection.GT), DType.I32);
        Node code = b.Minimum(b.Add(exponent, up), b.Like(bits, saturate ? E8M0Largest : E8M0NaN));
        Node isNaN = b.Compare(x, x, CompareDirection.NE);
        return b.Convert(b.Select(isNaN, b.Like(bits, E8M0NaN), code), DType.U8);
    }
}
