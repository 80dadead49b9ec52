namespace Graphene.Optimizer;

/// <summary>
/// Evaluates what large constants go through (transposes, slices, joins, conversions, arithmetic of f32 and i32) without an object per
/// element. The results have the bits of the reference evaluation.
/// </summary>
internal static class FastEvaluation
{
    /// <summary>True when a node can be evaluated here: its operands are constants, for arithmetic also broadcast ones.</summary>
    public static bool Handles(Node node) => node.Op switch
    {
        TransposeOp or SliceOp or ReverseOp or ConcatenateOp => node.Operands.All(o => o.Op is ConstantOp),
        GatherOp => FastGather.Handles(node),
        ConvertOp convert => node.Operands[0] is { Op: ConstantOp, DType: var from } && FastConversion.Function(from, convert.Type) is not null,
        ReduceOp => FastSum.Handles(node),
        ElementwiseOp { Fn: { Arity: 2 } fn } => node.Rank > 0 && FastArithmetic.Function(fn, node.DType) is not null &&
            node.Operands.All(o => StridedConstant.TryView(o) is not null),
        _ => false,
    };

    /// <summary>The value of the node.</summary>
    public static Literal Evaluate(Node node)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)node.Type.SizeInBytes.Value));
        if (node.Op is ElementwiseOp elementwise)
        {
            FastArithmetic.Function(elementwise.Fn, node.DType)!(node, bytes);
            return new Literal(node.Type, bytes);
        }
        Literal[] operands = [.. node.Operands.Select(o => ((ConstantOp)o.Op).Value)];
        switch (node.Op)
        {
            case ConcatenateOp concatenate:
                Concatenate(operands, concatenate.Dimension, bytes);
                break;
            case ConvertOp convert:
                FastConversion.Function(operands[0].DType, convert.Type)!(operands[0], bytes);
                break;
            case ReduceOp reduce:
                FastSum.Evaluate(reduce, operands[0], operands[1], bytes);
                break;
            case GatherOp gather:
                FastGather.Evaluate(gather, operands[0], operands[1], bytes);
                break;
            default:
                StridedCopy(node, operands[0], bytes);
                break;
        }
        return new Literal(node.Type, bytes);
    }

    // Each operand contributes a run of consecutive bytes per index of the outer dimensions.
    private static void Concatenate(Literal[] operands, int dimension, byte[] bytes)
    {
        long outer = operands[0].Shape.Take(dimension).Aggregate(1L, (n, d) => n * d.Value);
        int at = 0;
        for (long i = 0; i < outer; i++)
        {
            foreach (Literal operand in operands)
            {
                int run = (int)(operand.SizeInBytes / outer);
                using LiteralPart part = operand.Part(i * run, run);
                part.Bytes.CopyTo(bytes.AsSpan(at));
                at += run;
            }
        }
    }

    // Every result element is an operand element at a place that moves by a fixed step along each dimension.
    private static void StridedCopy(Node node, Literal x, byte[] bytes)
    {
        int size = x.DType.SizeInBytes();
        long[] extents = node.Shape.ToStatic();
        long[] strides = [.. x.Type.Strides().Select(s => s.Value)];
        var steps = new long[extents.Length];
        long start = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            switch (node.Op)
            {
                case TransposeOp transpose:
                    steps[i] = strides[transpose.Permutation[i]];
                    break;
                case SliceOp slice:
                    steps[i] = strides[i] * slice.Strides[i];
                    start += strides[i] * slice.Starts[i].Value;
                    break;
                case ReverseOp reverse:
                    bool turns = reverse.Dimensions.Contains(i);
                    steps[i] = turns ? -strides[i] : strides[i];
                    start += turns ? strides[i] * (extents[i] - 1) : 0;
                    break;
            }
        }
        if (bytes.Length > 0)
        {
            using LiteralPart part = x.Part();
            Copy(part.Bytes, start, steps, extents, size, bytes);
        }
    }

    private static void Copy(ReadOnlySpan<byte> from, long start, long[] steps, long[] extents, int size, Span<byte> to)
    {
        int last = extents.Length - 1;
        long row = last < 0 ? 1 : extents[last];
        long step = last < 0 ? 1 : steps[last];
        var at = new long[extents.Length];
        long place = start;
        int target = 0;
        while (true)
        {
            if (step == 1)
            {
                from.Slice((int)(place * size), (int)(row * size)).CopyTo(to[target..]);
            }
            else
            {
                for (long i = 0; i < row; i++)
                {
                    from.Slice((int)((place + (i * step)) * size), size).CopyTo(to[(target + (int)(i * size))..]);
                }
            }
            target += (int)(row * size);
            int axis = last - 1;
            while (axis >= 0)
            {
                place += steps[axis];
                if (++at[axis] < extents[axis])
                {
                    break;
                }
                place -= steps[axis] * extents[axis];
                at[axis--] = 0;
            }
            if (axis < 0)
            {
                return;
            }
        }
    }
}
