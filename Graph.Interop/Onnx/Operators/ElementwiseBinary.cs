using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Functions of two or more elements, with broadcasting.</summary>
internal static class ElementwiseBinary
{
    // Before version 7, Add(x, y) with broadcast = 1 aligned y at an axis of x.
    private const int BroadcastsFrom = 7;

    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        .. Pair("Add", (b, x, y) => b.Add(x, y)),
        .. Pair("Sub", (b, x, y) => b.Subtract(x, y)),
        .. Pair("Mul", (b, x, y) => b.Multiply(x, y)),
        .. Pair("Div", (b, x, y) => b.Divide(x, y)),
        .. Pair("And", (b, x, y) => b.And(x, y)),
        .. Pair("Or", (b, x, y) => b.Or(x, y)),
        .. Pair("Xor", (b, x, y) => b.Xor(x, y)),
        .. Pair("Equal", (b, x, y) => b.Compare(x, y, CompareDirection.EQ)),
        .. Pair("Less", (b, x, y) => b.Compare(x, y, CompareDirection.LT)),
        .. Pair("Greater", (b, x, y) => b.Compare(x, y, CompareDirection.GT)),
        New("LessOrEqual", 12, (b, x, y) => b.Compare(x, y, CompareDirection.LE)),
        New("GreaterOrEqual", 12, (b, x, y) => b.Compare(x, y, CompareDirection.GE)),
        New("BitwiseAnd", 18, (b, x, y) => b.And(x, y)),
        New("BitwiseOr", 18, (b, x, y) => b.Or(x, y)),
        New("BitwiseXor", 18, (b, x, y) => b.Xor(x, y)),
        new("", "Pow", 1, c => c.Output(0, Power(c))),
        new("", "Mod", 10, c => c.Output(0, Modulo(c))),
        new("", "BitShift", 11, c => c.Output(0, Shift(c))),
        Many("Max", (b, x, y) => b.Maximum(x, y)),
        Many("Min", (b, x, y) => b.Minimum(x, y)),
        Many("Sum", (b, x, y) => b.Add(x, y)),
        new("", "Mean", 1, Mean),
        new("", "Where", 9, Where),
    ];

    private static IEnumerable<OperatorRow> Pair(string name, Func<GraphBuilder, Node, Node, Node> function) =>
    [
        new("", name, 1, c => c.Output(0, function(c.B, c.Input(0), OldBroadcast(c, c.Input(0), c.Input(1))))),
        New(name, BroadcastsFrom, function),
    ];

    private static OperatorRow New(string name, int since, Func<GraphBuilder, Node, Node, Node> function) =>
        new("", name, since, c =>
        {
            RequireSameType(c);
            Node[] operands = OnnxBroadcasting.Align(c, c.Input(0), c.Input(1));
            c.Output(0, function(c.B, operands[0], operands[1]));
        });

    private static OperatorRow Many(string name, Func<GraphBuilder, Node, Node, Node> function) =>
        new("", name, 1, c => c.Output(0, Fold(c, function)));

    private static Node Fold(OperatorCall c, Func<GraphBuilder, Node, Node, Node> function)
    {
        c.Value(0);
        return OnnxBroadcasting.Align(c, c.Inputs()).Aggregate((x, y) => function(c.B, x, y));
    }

    private static void Mean(OperatorCall c)
    {
        Node sum = Fold(c, (b, x, y) => b.Add(x, y));
        c.Output(0, c.B.Divide(sum, c.B.Like(sum, c.InputCount)));
    }

    private static void Where(OperatorCall c)
    {
        Node[] operands = OnnxBroadcasting.Align(c, c.Input(0), c.Input(1), c.Input(2));
        c.Output(0, c.B.Select(operands[0], operands[1], operands[2]), c.Value(1).Type);
    }

    // The second operand of a binary operator before version 7, with the shape of the first.
    private static Node OldBroadcast(OperatorCall c, Node x, Node y)
    {
        if (c.Int("broadcast", 0) == 0 || x.Shape.Equals(y.Shape))
        {
            return y;
        }
        int axis = c.NormalAxis(c.Int("axis", x.Rank - y.Rank), x.Rank + 1);
        if (axis + y.Rank > x.Rank)
        {
            throw c.Bad($"{c.Proto.OpType} aligns {y.Type} with axis {axis} of {x.Type}", "it does not fit there");
        }
        return c.B.BroadcastInDim(y, x.Shape, Axes.Range(axis, y.Rank));
    }

    private static void RequireSameType(OperatorCall c)
    {
        if (c.Value(0).Type != c.Value(1).Type)
        {
            throw c.Bad(
                $"{c.Proto.OpType} combines {c.Value(0).TensorType} and {c.Value(1).TensorType}",
                "both inputs must have the same element type");
        }
    }

    // The exponent may have another type than the base; the result has the base's.
    private static Node Power(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node[] operands = c.Version < BroadcastsFrom
            ? [x, OldBroadcast(c, x, c.Input(1))]
            : OnnxBroadcasting.Align(c, x, c.Input(1));
        DType exponent = operands[1].DType;
        if (x.DType == exponent)
        {
            return b.Power(operands[0], operands[1]);
        }
        DType work = x.DType.IsFloating() ? x.DType : exponent.IsFloating() ? DType.F64 : x.DType;
        return b.Convert(b.Power(b.Convert(operands[0], work), b.Convert(operands[1], work)), x.DType);
    }

    // fmod = 1: the sign of the dividend, as StableHLO's remainder. fmod = 0: the sign of the divisor.
    private static Node Modulo(OperatorCall c)
    {
        GraphBuilder b = c.B;
        RequireSameType(c);
        Node[] operands = OnnxBroadcasting.Align(c, c.Input(0), c.Input(1));
        Node remainder = b.Remainder(operands[0], operands[1]);
        if (c.Int("fmod", 0) != 0 || remainder.DType.IsUnsignedInteger())
        {
            return remainder;
        }
        Node zero = b.Like(remainder, 0);
        Node differs = b.Xor(
            b.Compare(remainder, zero, CompareDirection.LT), b.Compare(operands[1], zero, CompareDirection.LT));
        Node moves = b.And(differs, b.Compare(remainder, zero, CompareDirection.NE));
        return b.Select(moves, b.Add(remainder, operands[1]), remainder);
    }

    private static Node Shift(OperatorCall c)
    {
        Node[] operands = OnnxBroadcasting.Align(c, c.Input(0), c.Input(1));
        return c.Attributes.Text("direction") switch
        {
            "LEFT" => c.B.ShiftLeft(operands[0], operands[1]),
            "RIGHT" => c.B.ShiftRightLogical(operands[0], operands[1]),
            var other => throw c.Bad($"BitShift has the direction '{other}'", "it must be LEFT or RIGHT"),
        };
    }
}
