namespace Graphene.Codegen;

/// <summary>What a pad puts around a tensor that somebody else writes.</summary>
/// <param name="Pad">How much of it; nothing between neighbours, and nothing is cut off.</param>
/// <param name="Value">What every element of it is.</param>
/// <param name="Type">The tensor with its border.</param>
/// <param name="Result">Where it goes.</param>
internal sealed record Border(PadOp Pad, Scalar Value, TensorType Type, KernelOperand Result)
{
    /// <summary>The border of a node that may have one, or null.</summary>
    public static Border? Of(Node node, KernelOperand result) =>
        node is { Op: PadOp { IsBorder: true } pad, Operands: [_, { Op: ConstantOp { Value: var value } }] }
            ? new Border(pad, value[0], node.Type, result)
            : null;
}

/// <summary>Lowers the border of a tensor whose inside another kernel writes.</summary>
/// <remarks>
/// <code>
/// for row, everything in front of the last dimension that is padded
///   inside:    row[0 .. low] = value; row[length - high .. length] = value
///   outside:   row[0 .. length] = value
/// </code>
/// </remarks>
internal sealed class BorderLowering
{
    private const long ElementsPerTask = 65536;

    private readonly Border _border;
    private readonly int _lanes;
    private readonly KBuffer _result;
    private readonly KExpr _length;
    private readonly KBuilder _b = new();

    private BorderLowering(Border border, KBuffer result, KernelTarget target)
    {
        _border = border;
        _lanes = target.Lanes(border.Type.DType);
        _result = result;
        _length = KBuilder.Value(InRow(border.Type.Shape[Last]));
    }

    // The innermost dimension with a border.
    private int Last => Enumerable.Range(0, _border.Type.Rank).Last(IsPadded);

    /// <summary>The kernel.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="border">What it writes.</param>
    /// <param name="target">The machine.</param>
    public static LoweredKernel Lower(string name, Border border, KernelTarget target)
    {
        var arguments = new KernelArguments();
        KBuffer result = arguments.Output("out", border.Type.DType, border.Result);
        return new BorderLowering(border, result, target).Run(name, arguments);
    }

    private LoweredKernel Run(string name, KernelArguments arguments)
    {
        Shape shape = _border.Type.Shape;
        var task = new KVariable("task", KType.Index);
        KExpr rows = KBuilder.Value(shape.Take(Last).Aggregate((Dim)1, (n, d) => n * d));
        KExpr rowsPerTask = KBuilder.Maximum(1, KBuilder.Divide(ElementsPerTask, KBuilder.Maximum(1, _length)));
        KExpr begin = _b.Let("begin", KBuilder.Multiply(task, rowsPerTask));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, rowsPerTask), rows));
        _b.For("row", begin, end, 1, row =>
        {
            KExpr start = _b.Let("start", KBuilder.Multiply(row, _length));
            void Sides()
            {
                Fill(start, 0, KBuilder.Value(InRow(_border.Pad.Low[Last])));
                Fill(start, KBuilder.Value(InRow(shape[Last] - _border.Pad.High[Last])), _length);
            }

            if (IsInside(row) is { } inside)
            {
                _b.If(inside, Sides, () => Fill(start, 0, _length));
            }
            else
            {
                Sides();
            }
        });
        KExpr tasks = KBuilder.Divide(KBuilder.Add(rows, KBuilder.Subtract(rowsPerTask, 1)), rowsPerTask);
        var kernel = new Kernel(name, arguments.Buffers, task, tasks, _b.ToBlock(), new KernelCost(0, BytesOfBorder()));
        return new LoweredKernel(kernel, arguments.Operands);
    }

    private Dim BytesOfBorder()
    {
        Shape shape = _border.Type.Shape;
        Dim inside = Enumerable.Range(0, shape.Rank).Aggregate(
            (Dim)1, (n, axis) => n * (shape[axis] - _border.Pad.Low[axis] - _border.Pad.High[axis]));
        return (shape.ElementCount - inside) * _border.Type.DType.SizeInBytes();
    }

    private bool IsPadded(int axis) => _border.Pad.Low[axis] != 0 || _border.Pad.High[axis] != 0;

    // The elements behind so many places of the last padded dimension.
    private Dim InRow(Dim places) => _border.Type.Shape.Skip(Last + 1).Aggregate(places, (n, d) => n * d);

    // Whether a row crosses the inside; null when all do.
    private KExpr? IsInside(KExpr row)
    {
        KExpr? inside = null;
        for (int axis = Last - 1; axis >= 0; axis--)
        {
            Dim size = _border.Type.Shape[axis];
            KExpr at = _b.Let("at", KBuilder.Remainder(row, KBuilder.Value(size)));
            row = _b.Let("rest", KBuilder.Divide(row, KBuilder.Value(size)));
            if (IsPadded(axis))
            {
                KExpr own = KBuilder.Call(
                    ScalarOp.And,
                    KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Value(_border.Pad.Low[axis]), at),
                    KBuilder.Less(at, KBuilder.Value(size - _border.Pad.High[axis])));
                inside = inside is null ? own : KBuilder.Call(ScalarOp.And, inside, own);
            }
        }
        return inside;
    }

    private void Fill(KExpr start, KExpr from, KExpr to)
    {
        var value = new KConstant(_border.Value, _lanes);
        _b.ForVectors(from, to, _lanes, (i, mask) => _b.Store(_result, KBuilder.Add(start, i), value, mask));
    }
}
