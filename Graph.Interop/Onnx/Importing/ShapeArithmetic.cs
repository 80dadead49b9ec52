namespace Graphene.Interop.Onnx.Importing;

/// <summary>Computes with dimensions at import what exporters write as tensor operators between Shape and Reshape.</summary>
/// <remarks>
/// <code>
///   Shape(x) -> Gather(0) -> Unsqueeze -> Concat(.., [-1]) -> Reshape     with x: f32[batch,12,seq]
///   [batch,12,seq]  batch     [batch]      [batch,-1]         no node but the reshape is made
/// </code>
/// A function returns null when it cannot tell (an input is not known, a comparison is undecided); then the operator is imported
/// as usual and its result is data.
/// </remarks>
internal static class ShapeArithmetic
{
    private static readonly Dictionary<string, Func<OperatorCall, DimTensor?>> Functions = new(StringComparer.Ordinal)
    {
        ["Gather"] = Gather,
        ["Concat"] = Concat,
        ["Slice"] = Slice,
        ["Squeeze"] = Squeeze,
        ["Unsqueeze"] = Unsqueeze,
        ["Reshape"] = Reshape,
        ["Identity"] = c => Known(c, 0),
        ["Cast"] = Cast,
        ["Expand"] = Expand,
        ["ConstantOfShape"] = ConstantOfShape,
        ["Range"] = Range,
        ["Where"] = Where,
        ["Add"] = c => Arithmetic(c, (x, y) => x + y),
        ["Sub"] = c => Arithmetic(c, (x, y) => x - y),
        ["Mul"] = c => Arithmetic(c, (x, y) => x * y),
        ["Div"] = c => Arithmetic(c, DimArithmetic.Divide),
        ["Mod"] = c => Arithmetic(c, DimArithmetic.Remainder),
        ["Max"] = c => Fold(c, (x, y) => Dim.Max(x, y)),
        ["Min"] = c => Fold(c, (x, y) => Dim.Min(x, y)),
        ["Neg"] = c => Known(c, 0) is { } x ? x.Map(x.Type, e => e * -1) : null,
        ["Abs"] = c => Known(c, 0) is { } x ? x.Map(x.Type, DimArithmetic.Absolute) : null,
        ["Equal"] = c => Compare(c, DimArithmetic.Equal),
        ["Less"] = c => Compare(c, DimArithmetic.Less),
        ["Greater"] = c => Compare(c, (x, y) => DimArithmetic.Less(y, x)),
        ["LessOrEqual"] = c => Compare(c, (x, y) => DimArithmetic.Not(DimArithmetic.Less(y, x))),
        ["GreaterOrEqual"] = c => Compare(c, (x, y) => DimArithmetic.Not(DimArithmetic.Less(x, y))),
        ["And"] = c => Fold(c, (x, y) => x == 0 || y == 0 ? 0 : x == 1 ? y : y == 1 ? x : DimArithmetic.Unknown),
        ["Or"] = c => Fold(c, (x, y) => x == 1 || y == 1 ? 1 : x == 0 ? y : y == 0 ? x : DimArithmetic.Unknown),
        ["Not"] = c => Known(c, 0)?.Map(OnnxDataType.Bool, e => DimArithmetic.Not(e)),
        ["ReduceProd"] = c => Reduce(c, 1, (x, y) => x * y),
        ["ReduceSum"] = c => Reduce(c, 0, (x, y) => x + y),
        ["ReduceMax"] = c => Reduce(c, null, (x, y) => Dim.Max(x, y)),
        ["ReduceMin"] = c => Reduce(c, null, (x, y) => Dim.Min(x, y)),
    };

    /// <summary>Sets the call's result when it can be told at import.</summary>
    public static bool TryApply(OperatorCall call)
    {
        if (call.Proto.Domain is not ("" or "ai.onnx"))
        {
            return false;
        }
        if (call.Proto.OpType == "Split")
        {
            return TrySplit(call);
        }
        if (!Functions.TryGetValue(call.Proto.OpType, out Func<OperatorCall, DimTensor?>? function) ||
            function(call) is not { } result)
        {
            return false;
        }
        call.Output(0, OnnxValue.FromDims(result));
        return true;
    }

    /// <summary>The shape of a Shape operator's input, or the part that it asks for.</summary>
    public static DimTensor ShapeOf(OperatorCall c)
    {
        Dim[] dims = [.. c.Value(0).Shape];
        int start = Clamp(c.Int("start", 0), dims.Length);
        int end = Clamp(c.Int("end", dims.Length), dims.Length);
        return DimTensor.Vector(OnnxDataType.Int64, start < end ? dims[start..end] : []);
    }

    /// <summary>The number of elements of a Size operator's input.</summary>
    public static DimTensor SizeOf(OperatorCall c) => DimTensor.Scalar(OnnxDataType.Int64, c.Value(0).Shape.ElementCount);

    private static DimTensor? Known(OperatorCall c, int input) => c.Value(input).Dims;

    private static DimTensor? Gather(OperatorCall c)
    {
        if (Known(c, 0) is not { Rank: 1 } x || Known(c, 1) is not { IsStatic: true } indices)
        {
            return null;
        }
        return indices.Map(x.Type, i =>
        {
            long at = i.Value < 0 ? i.Value + x.Elements.Length : i.Value;
            return at >= 0 && at < x.Elements.Length ? x.Elements[at] : throw c.Bad(
                $"Gather reads index {i.Value} of {x.Elements.Length} elements", "indices must be in range");
        });
    }

    private static DimTensor? Concat(OperatorCall c)
    {
        var parts = new DimTensor[c.InputCount];
        for (int i = 0; i < parts.Length; i++)
        {
            if (Known(c, i) is not { Rank: 1 } part)
            {
                return null;
            }
            parts[i] = part;
        }
        Dim[] elements = [.. parts.SelectMany(p => p.Elements)];
        return elements.Length is 0 or > DimTensor.MaxElements ? null : DimTensor.Vector(parts[0].Type, elements);
    }

    private static DimTensor? Slice(OperatorCall c)
    {
        if (Known(c, 0) is not { Rank: 1 } x || SliceArguments.Read(c, x.Rank) is not { } slice || slice.Axes is not [0])
        {
            return null;
        }
        (long start, long step, long count) = slice.Static(0, x.Elements.Length);
        return DimTensor.Vector(x.Type, [.. Enumerable.Range(0, (int)count).Select(i => x.Elements[start + (i * step)])]);
    }

    private static DimTensor? Squeeze(OperatorCall c) =>
        Known(c, 0) is { Rank: <= 1, Elements.Length: 1 } x ? x.Reshape() : null;

    private static DimTensor? Unsqueeze(OperatorCall c) => Known(c, 0) is { Rank: 0 } x ? x.Reshape(1) : null;

    private static DimTensor? Reshape(OperatorCall c)
    {
        if (Known(c, 0) is not { } x || !c.Has(1) || Known(c, 1) is not { IsStatic: true } target)
        {
            return null;
        }
        return target.Elements switch
        {
            [] when x.Elements.Length == 1 => x.Reshape(),
            [var only] when only == -1 || only == x.Elements.Length => x.Reshape(x.Elements.Length),
            _ => null,
        };
    }

    private static DimTensor? Cast(OperatorCall c)
    {
        var to = (OnnxDataType)c.Int("to", 0);
        if (Known(c, 0) is not { } x || !DimTensor.Accepts(to))
        {
            return null;
        }
        bool widens = to is OnnxDataType.Int64 or OnnxDataType.Int32 || x.Type == to;
        return to == OnnxDataType.Bool
            ? x.Map(to, e => e.IsStatic ? (e == 0 ? 0 : 1) : e.ProvablyDiffers(0) ? 1 : DimArithmetic.Unknown)
            : widens || x.IsStatic && Array.TrueForAll(x.Elements, e => e.Value is >= 0 and <= sbyte.MaxValue) ? x with { Type = to }
            : null;
    }

    private static DimTensor? Expand(OperatorCall c)
    {
        if (Known(c, 0) is not { } x || Known(c, 1) is not { IsStatic: true, Elements.Length: <= 1 } shape)
        {
            return null;
        }
        int[] extents = [.. shape.Elements.Select(e => (int)Math.Min(e.Value, DimTensor.MaxElements + 1))];
        return extents.Any(e => e is < 1 or > DimTensor.MaxElements) ? null
            : DimTensor.Zip(x.Type, x, new DimTensor(x.Type, extents, Zeros(extents)), (e, _) => e);
    }

    private static Dim[] Zeros(int[] extents) => [.. Enumerable.Repeat<Dim>(0, extents.Aggregate(1, (p, e) => p * e))];

    private static DimTensor? ConstantOfShape(OperatorCall c)
    {
        if (Known(c, 0) is not { IsStatic: true, Elements: [var length] } || length.Value is < 0 or > 64)
        {
            return null;
        }
        Schema.TensorProto? value = c.Attributes.Tensor("value");
        if (value is null || !DimTensor.Accepts((OnnxDataType)value.DataType))
        {
            return null;
        }
        Literal element = OnnxTypes.ToLiteral(c.Importer.Tensors.Read(value, c.Where));
        return DimTensor.Vector(
            (OnnxDataType)value.DataType, [.. Enumerable.Repeat<Dim>((long)element[0].AsInteger, (int)length.Value)]);
    }

    private static DimTensor? Range(OperatorCall c)
    {
        if (Known(c, 0) is not { IsStatic: true } start || Known(c, 1) is not { IsStatic: true } limit ||
            Known(c, 2) is not { IsStatic: true } step || step.Elements[0] == 0)
        {
            return null;
        }
        long first = start.Elements[0].Value;
        long delta = step.Elements[0].Value;
        Int128 span = (Int128)limit.Elements[0].Value - first;
        Int128 count = Int128.Max(0, (span + delta - Math.Sign(delta)) / delta);
        return count > DimTensor.MaxElements
            ? null
            : DimTensor.Vector(start.Type, [.. Enumerable.Range(0, (int)count).Select(i => (Dim)(first + (i * delta)))]);
    }

    private static DimTensor? Where(OperatorCall c)
    {
        if (Known(c, 0) is not { IsStatic: true } condition || Known(c, 1) is not { } x || Known(c, 2) is not { } y)
        {
            return null;
        }
        DimTensor? left = DimTensor.Zip(x.Type, condition, x, (p, e) => p == 0 ? 0 : e);
        DimTensor? right = DimTensor.Zip(x.Type, condition, y, (p, e) => p == 0 ? e : 0);
        return left is null || right is null ? null : DimTensor.Zip(x.Type, left, right, (l, r) => l + r);
    }

    // Elements must stay in 32 bits when the type has 32, and so on; larger results are computed as data, where they wrap.
    private static DimTensor? Arithmetic(OperatorCall c, Func<Dim, Dim, Dim?> function)
    {
        if (c.InputCount != 2 || Known(c, 0) is not { } x || Known(c, 1) is not { } y || x.Type == OnnxDataType.Bool)
        {
            return null;
        }
        (long min, long max) = Limits(x.Type);
        return DimTensor.Zip(x.Type, x, y, (l, r) =>
            function(l, r) is { } value && (!value.IsStatic || (value.Value >= min && value.Value <= max))
                ? value
                : DimArithmetic.Unknown);
    }

    private static (long Min, long Max) Limits(OnnxDataType type) => type switch
    {
        OnnxDataType.Int32 => (int.MinValue, int.MaxValue),
        OnnxDataType.Int16 => (short.MinValue, short.MaxValue),
        OnnxDataType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        OnnxDataType.UInt32 => (0, uint.MaxValue),
        OnnxDataType.UInt16 => (0, ushort.MaxValue),
        OnnxDataType.UInt8 => (0, byte.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };

    private static DimTensor? Fold(OperatorCall c, Func<Dim, Dim, Dim?> function)
    {
        DimTensor? result = Known(c, 0);
        for (int i = 1; i < c.InputCount && result is not null; i++)
        {
            result = Known(c, i) is { } next ? DimTensor.Zip(result.Type, result, next, function) : null;
        }
        return result;
    }

    private static DimTensor? Compare(OperatorCall c, Func<Dim, Dim, Dim?> function) =>
        Known(c, 0) is { } x && Known(c, 1) is { } y ? DimTensor.Zip(OnnxDataType.Bool, x, y, function) : null;

    private static DimTensor? Reduce(OperatorCall c, Dim? empty, Func<Dim, Dim, Dim> function)
    {
        if (Known(c, 0) is not { Rank: 1 } x || (x.Elements.Length == 0 && empty is null))
        {
            return null;
        }
        IReadOnlyList<long>? axes = c.Ints("axes") ?? (c.Has(1) ? Known(c, 1)?.Elements.Select(e => e.Value).ToArray() : []);
        bool allAxes = axes is [0] or [-1] || (axes is [] && c.Int("noop_with_empty_axes", 0) == 0);
        if (!allAxes)
        {
            return null;
        }
        Dim result = empty is { } start ? x.Elements.Aggregate(start, function) : x.Elements.Aggregate(function);
        return c.Int("keepdims", 1) != 0 ? DimTensor.Vector(x.Type, result) : DimTensor.Scalar(x.Type, result);
    }

    private static bool TrySplit(OperatorCall c)
    {
        if (Known(c, 0) is not { Rank: 1 } x || c.OutputCount == 0)
        {
            return false;
        }
        IReadOnlyList<long>? sizes = c.Ints("split") ?? (c.Has(1) ? Known(c, 1)?.Elements.Select(e => e.Value).ToArray() : null);
        int chunk = (x.Elements.Length + c.OutputCount - 1) / c.OutputCount;
        sizes ??= [.. Enumerable.Range(0, c.OutputCount).Select(i => (long)Math.Clamp(x.Elements.Length - (i * chunk), 0, chunk))];
        if (sizes.Count != c.OutputCount || sizes.Any(s => s < 0) || sizes.Sum() != x.Elements.Length)
        {
            return false;
        }
        int start = 0;
        for (int i = 0; i < c.OutputCount; i++)
        {
            Dim[] part = x.Elements[start..(start + (int)sizes[i])];
            c.Output(i, OnnxValue.FromDims(DimTensor.Vector(x.Type, part)));
            start += part.Length;
        }
        return true;
    }

    private static int Clamp(long index, int rank) => (int)Math.Clamp(index < 0 ? index + rank : index, 0, rank);
}
