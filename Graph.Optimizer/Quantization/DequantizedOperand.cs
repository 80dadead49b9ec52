namespace Graphene.Optimizer;

/// <summary>A tensor that is made from stored bytes: (stored - zero point) * scale.</summary>
/// <param name="Stored">The bytes, i8 or u8.</param>
/// <param name="Zeros">One zero point, or one for each index along <paramref name="Axis"/>.</param>
/// <param name="Scales">One scale, or one for each index along <paramref name="Axis"/>.</param>
/// <param name="Axis">The axis along which zero points or scales differ; null when there is one of each.</param>
internal sealed record DequantizedOperand(Node Stored, int[] Zeros, float[] Scales, int? Axis)
{
    // What is spread out over a tensor has one element, or one for each channel.
    private const long MostParameters = 1 << 16;

    /// <summary>Whether zero points are stored bytes themselves, as a border of zeros must be; a graph can say otherwise.</summary>
    public bool HasByteZeros => Array.TrueForAll(
        Zeros, z => Stored.DType == DType.U8 ? z is >= 0 and <= byte.MaxValue : z is >= sbyte.MinValue and <= sbyte.MaxValue);

    /// <summary>Reads convert(convert(stored) - zero point) * scale, with or without the zero point; null for anything else.</summary>
    public static DequantizedOperand? TryRead(Node node)
    {
        if (node is not { Op: ElementwiseOp { Fn: var multiply }, DType: DType.F32, Operands: [{ Op: ConvertOp, Operands: [var centered] }, var scale] } ||
            multiply != ElementwiseTable.Multiply || Spread.TryRead(scale) is not { Value.DType: DType.F32 } scales)
        {
            return null;
        }
        Spread? zeros = null;
        if (centered is { Op: ElementwiseOp { Fn: var subtract }, DType: DType.I32, Operands: [var wide, var zero] })
        {
            zeros = Spread.TryRead(zero);
            if (subtract != ElementwiseTable.Subtract || zeros is null)
            {
                return null;
            }
            centered = wide;
        }
        Node stored = centered is { Op: ConvertOp, DType: DType.I32, Operands: [var bytes] } ? bytes : centered;
        int? axis = scales.Axis ?? zeros?.Axis;
        bool isOneAxis = zeros?.Axis is not { } other || other == axis;
        return stored.DType is DType.I8 or DType.U8 && isOneAxis
            ? new DequantizedOperand(stored, zeros?.ToIntegers() ?? [0], scales.Value.As<float>().ToArray(), axis)
            : null;
    }

    /// <summary>A few constants, spread out over a tensor: one for all, or one for each index along an axis.</summary>
    private sealed record Spread(Literal Value, int? Axis)
    {
        public static Spread? TryRead(Node node)
        {
            if (node is { Op: ConvertOp, DType: DType.I32, Operands: [{ DType: DType.I8 or DType.U8 } narrow] })
            {
                return TryRead(narrow); // before or after it is spread out
            }
            if (node is { Op: BroadcastInDimOp op, Operands: [var source] })
            {
                return ValueOf(source) is not { } value ? null
                    : value.ElementCount == 1 ? new Spread(value, null)
                    : source.Rank == 1 ? new Spread(value, op.BroadcastDimensions[0])
                    : null;
            }
            return ValueOf(node) is { ElementCount: 1 } single ? new Spread(single, null) : null;
        }

        public int[] ToIntegers() => [.. Enumerable.Range(0, (int)Value.ElementCount).Select(i => (int)Value[i].AsInteger)];

        private static Literal? ValueOf(Node node) => node switch
        {
            { Op: ConstantOp { Value: var value } } => value.ElementCount is > 0 and <= MostParameters ? value : null,
            { Op: ReshapeOp, Operands: [{ Op: ConstantOp { Value: var source } }], Shape.IsStatic: true }
                when source.ElementCount is > 0 and <= MostParameters => node.Op.EvaluateAll([source], node.Types)[0],
            { Op: ConvertOp, DType: DType.I32, Operands: [{ DType: DType.I8 or DType.U8 } narrow] } => ValueOf(narrow),
            _ => null,
        };
    }
}
