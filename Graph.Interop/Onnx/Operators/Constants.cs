using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators without tensor inputs: constants and what is counted out.</summary>
internal static class Constants
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Constant", 1, Constant),
        new("", "ConstantOfShape", 9, ConstantOfShape),
        new("", "Range", 11, Range),
        new("", "EyeLike", 9, EyeLike),
        new("", "Shape", 1, c => c.Output(0, OnnxValue.FromDims(ShapeArithmetic.ShapeOf(c)))),
        new("", "Size", 1, c => c.Output(0, OnnxValue.FromDims(ShapeArithmetic.SizeOf(c)))),
        new("", "HannWindow", 17, c => Window(c, 0.5, 0.5, 0)),
        new("", "HammingWindow", 17, c => Window(c, 25.0 / 46.0, 21.0 / 46.0, 0)),
        new("", "BlackmanWindow", 17, c => Window(c, 0.42, 0.5, 0.08)),
    ];

    private static void Constant(OperatorCall c)
    {
        AttributeSet a = c.Attributes;
        if (a.Tensor("value") is { } tensor)
        {
            Reading.StoredTensor stored = c.Importer.Tensors.Read(tensor, c.Where);
            c.Output(0, OnnxValue.FromLiteral(OnnxTypes.ToLiteral(stored), stored.Format.Type));
            return;
        }
        if (a.SparseTensor("sparse_value") is { } sparse)
        {
            Reading.StoredTensor stored = c.Importer.Tensors.ReadSparse(sparse, c.Where);
            c.Output(0, OnnxValue.FromLiteral(OnnxTypes.ToLiteral(stored), stored.Format.Type));
            return;
        }
        Literal literal = a.Float("value_float") is { } f ? Literal.From<float>([f])
            : a.Floats("value_floats") is { } floats ? Literal.From<float>([.. floats], floats.Count)
            : a.Int("value_int") is { } i ? Literal.From<long>([i])
            : a.Ints("value_ints") is { } ints ? Literal.From<long>([.. ints], ints.Count)
            : throw c.Bad($"Constant has no value Graphene can hold", $"it has the attributes {string.Join(", ", a.Names)}");
        c.Output(0, OnnxValue.FromLiteral(literal, OnnxTypes.Of(literal.DType)));
    }

    private static void ConstantOfShape(OperatorCall c)
    {
        Shape shape = ShapeOf(c, c.Dims(0, "shape"));
        Schema.TensorProto? value = c.Attributes.Tensor("value");
        if (value is null)
        {
            c.Output(0, c.B.Splat(DType.F32, shape, 0));
            return;
        }
        Reading.StoredTensor stored = c.Importer.Tensors.Read(value, c.Where);
        Literal literal = OnnxTypes.ToLiteral(stored);
        if (literal.ElementCount != 1)
        {
            throw c.Bad($"ConstantOfShape has a value of {literal.ElementCount} elements", "it must have one");
        }
        c.Output(0, c.B.BroadcastInDim(c.B.Constant(literal.Reshape(Shape.Scalar)), shape, []), stored.Format.Type);
    }

    /// <summary>A shape from dimensions, none of which is known to be negative.</summary>
    public static Shape ShapeOf(OperatorCall c, DimTensor dims)
    {
        if (dims.Elements.Any(d => d.Range.Max < 0))
        {
            throw c.Bad(
                $"{c.Proto.OpType} makes the shape [{string.Join(", ", dims.Elements)}]", "dimensions must not be negative");
        }
        return Shape.Create(dims.Elements);
    }

    // start + i * delta for i below ceil((limit - start) / delta).
    private static void Range(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Dim count = RangeCount(c);
        Node start = b.Reshape(c.Input(0), Shape.Scalar);
        var type = new TensorType(start.DType, [count]);
        DType work = start.DType.IsFloating() && start.DType != DType.F64 ? DType.F32 : start.DType;
        Node steps = b.Iota(new TensorType(work, type.Shape), 0);
        Node delta = b.BroadcastInDim(b.Convert(b.Reshape(c.Input(2), Shape.Scalar), work), type.Shape, []);
        Node first = b.BroadcastInDim(b.Convert(start, work), type.Shape, []);
        c.Output(0, b.Convert(b.Add(first, b.Multiply(steps, delta)), start.DType));
    }

    private static Dim RangeCount(OperatorCall c)
    {
        bool isWhole = DimTensor.Accepts(c.Value(0).Type);
        if (isWhole && c.Dims(0, "start") is var start && c.Dims(1, "limit") is var limit &&
            c.Dims(2, "delta") is { IsStatic: true } delta)
        {
            return CountBetween(c, start.Elements[0], limit.Elements[0], delta.Elements[0].Value);
        }
        double first = c.Known(0, "start")[0].AsDouble;
        double last = c.Known(1, "limit")[0].AsDouble;
        double by = c.Known(2, "delta")[0].AsDouble;
        double count = Math.Ceiling((last - first) / by);
        return double.IsNaN(count) || count > DimSymbol.Unbounded
            ? throw c.Bad($"Range from {first} to {last} in steps of {by} does not end", "its length must be bounded")
            : (long)Math.Max(0, count);
    }

    private static Dim CountBetween(OperatorCall c, Dim start, Dim limit, long step)
    {
        if (step == 0)
        {
            throw c.Bad("Range has a step of 0", "it would not end");
        }
        Dim count = step > 0 ? Dim.CeilDiv(limit - start, step) : Dim.CeilDiv(start - limit, -step);
        return Dim.Max(0, count);
    }

    private static void EyeLike(OperatorCall c)
    {
        GraphBuilder b = c.B;
        OnnxValue x = c.Value(0);
        if (x.Rank != 2)
        {
            throw c.Bad($"EyeLike of {x.TensorType}", "it takes a matrix");
        }
        OnnxDataType type = c.Attributes.Int("dtype") is { } given ? (OnnxDataType)given : x.Type;
        var index = new TensorType(DType.I64, x.Shape);
        Node shifted = b.Add(b.Iota(index, 0), b.Splat(DType.I64, x.Shape, c.Int("k", 0)));
        Node diagonal = b.Compare(shifted, b.Iota(index, 1), CompareDirection.EQ);
        c.Output(0, b.Convert(diagonal, OnnxTypes.Storage(type, c.Where)), type);
    }

    // a - b cos(2 pi i / N) + c cos(4 pi i / N), with N the size, or one less when the window is symmetric.
    private static void Window(OperatorCall c, double a, double b, double d)
    {
        DimTensor size = c.Dims(0, "size");
        if (!size.IsStatic || size.Elements[0].Value is < 0 or > 1 << 24)
        {
            throw c.Unsupported($"{c.Proto.OpType} has the size {size.Elements[0]}", "it must be a number known at import");
        }
        int count = (int)size.Elements[0].Value;
        double period = c.Int("periodic", 1) != 0 ? count : count - 1;
        OnnxDataType type = (OnnxDataType)c.Int("output_datatype", (long)OnnxDataType.Float);
        DType storage = OnnxTypes.Storage(type, c.Where);
        Literal window = Literal.Generate(new TensorType(storage, [count]), at =>
        {
            double angle = 2 * Math.PI * at[0] / period;
            return Scalar.FromNumber(storage, a - (b * Math.Cos(angle)) + (d * Math.Cos(2 * angle)));
        });
        c.Output(0, OnnxValue.FromLiteral(window, type));
    }
}
