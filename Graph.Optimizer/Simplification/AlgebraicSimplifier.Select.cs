namespace Graphene.Optimizer;

// Comparisons, choices and conversions.
public sealed partial class AlgebraicSimplifier
{
    private static CompareDirection Opposite(CompareDirection direction) => direction switch
    {
        CompareDirection.EQ => CompareDirection.NE,
        CompareDirection.NE => CompareDirection.EQ,
        CompareDirection.LT => CompareDirection.GE,
        CompareDirection.GE => CompareDirection.LT,
        CompareDirection.GT => CompareDirection.LE,
        _ => CompareDirection.GT,
    };

    private static Node? Compare(GraphBuilder b, Node node, CompareOp op)
    {
        Node x = node.Operands[0];
        Node y = node.Operands[1];
        bool isOrdered = !x.DType.IsFloating() || op.TotalOrder;

        // x == x => true   not for floating types: NaN differs from itself
        if (ReferenceEquals(x, y) && isOrdered)
        {
            bool holds = op.Direction is CompareDirection.EQ or CompareDirection.LE or CompareDirection.GE;
            return Splats.Make(b, Scalar.FromBool(holds), node.Shape);
        }
        if (x.DType == DType.Bool && Splats.ValueOf(y) is { } constant)
        {
            // x == true => x,  x != false => x,  x == false => !x,  x != true => !x
            bool keeps = constant.AsBool == (op.Direction == CompareDirection.EQ);
            return op.Direction is CompareDirection.EQ or CompareDirection.NE ? (keeps ? x : b.Not(x)) : null;
        }
        // c < x => x > c
        return IsConstant(x) && !IsConstant(y) ? b.Compare(y, x, Mirrored(op.Direction), op.TotalOrder) : null;
    }

    private static CompareDirection Mirrored(CompareDirection direction) => direction switch
    {
        CompareDirection.LT => CompareDirection.GT,
        CompareDirection.GT => CompareDirection.LT,
        CompareDirection.LE => CompareDirection.GE,
        CompareDirection.GE => CompareDirection.LE,
        _ => direction,
    };

    private static Node? Select(GraphBuilder b, Node node) => node.Operands switch
    {
        // select(p, x, x) => x
        [_, var x, var y] when ReferenceEquals(x, y) => x,

        // select(true, x, y) => x
        [var p, var x, var y] when Splats.ValueOf(p) is { } constant => constant.AsBool ? x : y,

        // select(!p, x, y) => select(p, y, x)
        [{ Op.Name: "not", Operands: [var p] }, var x, var y] => b.Select(p, y, x),

        // select(p, true, false) => p,  select(p, false, true) => !p
        [var p, var x, var y] when p.Type.Equals(node.Type) && Splats.Is(x, 1) && Splats.Is(y, 0) => p,
        [var p, var x, var y] when p.Type.Equals(node.Type) && Splats.Is(x, 0) && Splats.Is(y, 1) => b.Not(p),

        // select(broadcast scalar, x, y) => select(scalar, x, y)
        [{ Op: BroadcastInDimOp, Operands: [{ Rank: 0 } p] }, var x, var y] => b.Select(p, x, y),

        _ => null,
    };

    private static Node? Convert(GraphBuilder b, Node node, ConvertOp op) => node.Operands[0] switch
    {
        var x when x.DType == op.Type => x,

        // convert(convert(x, wider), t) => convert(x, t)   the first step loses nothing
        { Op: ConvertOp middle, Operands: [var x] }
            when KeepsValues(x.DType, middle.Type) && !Saturates(x.DType, middle.Type, op.Type) => b.Convert(x, op.Type),

        _ => null,
    };

    private static Node? BitcastConvert(Node node) => node.Operands[0] switch
    {
        var x when x.Type.Equals(node.Type) => x,

        // There and back; between types of one width only, where the shape stays.
        { Op: BitcastConvertOp, Operands: [var x] } middle
            when x.Type.Equals(node.Type) && x.DType.SizeInBits() == middle.DType.SizeInBits() => x,

        _ => null,
    };

    // From integer to integer conversions wrap, by way of a floating type they saturate.
    private static bool Saturates(DType from, DType middle, DType to) =>
        from.IsInteger() && middle.IsFloating() && to.IsInteger() && from != to && !KeepsValues(from, to);

    // True when every value of one type is a value of the other.
    private static bool KeepsValues(DType from, DType to)
    {
        if (from == DType.Bool)
        {
            return true;
        }
        if (from.IsFloating())
        {
            return to == DType.F64 || (to == DType.F32 && from is DType.F16 or DType.BF16);
        }
        int bits = from.SizeInBits() - (from.IsSignedInteger() ? 1 : 0);
        int room = to switch
        {
            DType.F16 => 11,
            DType.BF16 => 8,
            DType.F32 => 24,
            DType.F64 => 53,
            _ => to.SizeInBits() - (to.IsSignedInteger() ? 1 : 0),
        };
        return to != DType.Bool && bits <= room && (!from.IsSignedInteger() || !to.IsUnsignedInteger());
    }
}
