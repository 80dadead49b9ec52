using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Optimizer;

/// <summary>
/// Evaluates what large constants go through (transposes, slices, joins, f32 arithmetic) without an object per element. The
/// results have the bits of the reference evaluation.
/// </summary>
internal static class FastEvaluation
{
    private const int ElementsPerTask = 1 << 16;

    /// <summary>True when a node can be evaluated here: its operands are constants, for arithmetic also broadcast ones.</summary>
    public static bool Handles(Node node) => node.Op switch
    {
        TransposeOp or SliceOp or ReverseOp or ConcatenateOp => node.Operands.All(o => o.Op is ConstantOp),
        GatherOp => FastGather.Handles(node),
        ConvertOp convert => convert.Type == DType.F32 && node.Operands[0] is { Op: ConstantOp, DType: DType.F16 or DType.BF16 },
        ElementwiseOp { Fn: { Arity: 2 } fn } => node.DType == DType.F32 && node.Rank > 0 && Function(fn) is not null &&
            node.Operands.All(o => StridedConstant.TryView(o) is not null),
        _ => false,
    };

    /// <summary>The value of the node.</summary>
    public static Literal Evaluate(Node node)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)node.Type.SizeInBytes.Value));
        if (node.Op is ElementwiseOp elementwise)
        {
            Function(elementwise.Fn)!(node, bytes);
            return new Literal(node.Type, bytes);
        }
        Literal[] operands = [.. node.Operands.Select(o => ((ConstantOp)o.Op).Value)];
        switch (node.Op)
        {
            case ConcatenateOp concatenate:
                Concatenate(operands, concatenate.Dimension, bytes);
                break;
            case ConvertOp:
                Widen(operands[0], bytes);
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

    // In single precision each of these rounds the exact result, as the reference does in double and then once more.
    private static Action<Node, byte[]>? Function(ElementwiseFn fn) => fn.Name switch
    {
        "add" => Apply<AddOperator>,
        "subtract" => Apply<SubtractOperator>,
        "multiply" => Apply<MultiplyOperator>,
        "divide" => Apply<DivideOperator>,
        _ => null,
    };

    private static void Apply<T>(Node node, byte[] bytes)
        where T : struct, IBinary
    {
        StridedConstant x = StridedConstant.TryView(node.Operands[0])!;
        StridedConstant y = StridedConstant.TryView(node.Operands[1])!;
        (long[] extents, long[] left, long[] right) = Merge(node.Shape.ToStatic(), x.Strides, y.Strides);
        int row = (int)extents[^1];
        if (bytes.Length == 0)
        {
            return;
        }
        int rows = bytes.Length / sizeof(float) / row;
        int rowsPerTask = Math.Max(1, ElementsPerTask / row);
        using LiteralPart xPart = x.Source.Part();
        using LiteralPart yPart = y.Source.Part();
        Parallel.For(0, (rows + rowsPerTask - 1) / rowsPerTask, task =>
        {
            ReadOnlySpan<float> from = xPart.As<float>();
            ReadOnlySpan<float> by = yPart.As<float>();
            Span<float> result = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
            for (int r = task * rowsPerTask; r < Math.Min(rows, (task + 1) * rowsPerTask); r++)
            {
                ApplyRow<T>(
                    from[PlaceOfRow(r, extents, left)..], (int)left[^1], by[PlaceOfRow(r, extents, right)..], (int)right[^1],
                    result.Slice(r * row, row));
            }
        });
    }

    // Code with vectors of the machine's width is not compiled ahead of time, and there is no time to find out that this is worth optimizing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow<T>(ReadOnlySpan<float> x, int xStep, ReadOnlySpan<float> y, int yStep, Span<float> result)
        where T : struct, IBinary
    {
        int k = 0;
        if (xStep is 0 or 1 && yStep is 0 or 1)
        {
            for (; k <= result.Length - Vector<float>.Count; k += Vector<float>.Count)
            {
                Vector<float> left = xStep == 0 ? new Vector<float>(x[0]) : new Vector<float>(x[k..]);
                Vector<float> right = yStep == 0 ? new Vector<float>(y[0]) : new Vector<float>(y[k..]);
                T.Invoke(left, right).CopyTo(result[k..]);
            }
        }
        for (; k < result.Length; k++)
        {
            result[k] = T.Invoke(x[k * xStep], y[k * yStep]);
        }
    }

    // Dimensions that both operands walk as if they were one become one, so that rows are long.
    private static (long[] Extents, long[] Left, long[] Right) Merge(long[] extents, long[] left, long[] right)
    {
        List<long> sizes = [extents[^1]];
        List<long> x = [left[^1]];
        List<long> y = [right[^1]];
        for (int i = extents.Length - 2; i >= 0; i--)
        {
            if (left[i] == x[^1] * sizes[^1] && right[i] == y[^1] * sizes[^1])
            {
                sizes[^1] *= extents[i];
                continue;
            }
            sizes.Add(extents[i]);
            x.Add(left[i]);
            y.Add(right[i]);
        }
        return ([.. Enumerable.Reverse(sizes)], [.. Enumerable.Reverse(x)], [.. Enumerable.Reverse(y)]);
    }

    private static int PlaceOfRow(long row, long[] extents, long[] strides)
    {
        long place = 0;
        for (int i = extents.Length - 2; i >= 0; i--)
        {
            place += row % extents[i] * strides[i];
            row /= extents[i];
        }
        return (int)place;
    }

    private interface IBinary
    {
        static abstract float Invoke(float x, float y);

        static abstract Vector<float> Invoke(Vector<float> x, Vector<float> y);
    }

    private readonly struct AddOperator : IBinary
    {
        public static float Invoke(float x, float y) => x + y;

        public static Vector<float> Invoke(Vector<float> x, Vector<float> y) => x + y;
    }

    private readonly struct SubtractOperator : IBinary
    {
        public static float Invoke(float x, float y) => x - y;

        public static Vector<float> Invoke(Vector<float> x, Vector<float> y) => x - y;
    }

    private readonly struct MultiplyOperator : IBinary
    {
        public static float Invoke(float x, float y) => x * y;

        public static Vector<float> Invoke(Vector<float> x, Vector<float> y) => x * y;
    }

    private readonly struct DivideOperator : IBinary
    {
        public static float Invoke(float x, float y) => x / y;

        public static Vector<float> Invoke(Vector<float> x, Vector<float> y) => x / y;
    }

    private static void Widen(Literal x, byte[] bytes)
    {
        using LiteralPart part = x.Part();
        Span<float> result = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        if (x.DType == DType.F16)
        {
            ReadOnlySpan<Half> halves = part.As<Half>();
            for (int i = 0; i < result.Length; i++)
            {
                result[i] = (float)halves[i];
            }
            return;
        }
        ReadOnlySpan<BFloat16> brains = part.As<BFloat16>();
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = brains[i];
        }
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

/// <summary>A constant, or a broadcast one, as elements of a literal at strided places.</summary>
/// <param name="Source">The literal.</param>
/// <param name="Strides">Elements from one index to the next, per dimension of the node.</param>
internal sealed record StridedConstant(Literal Source, long[] Strides)
{
    public static StridedConstant? TryView(Node node)
    {
        if (node.Op is ConstantOp constant)
        {
            return new StridedConstant(constant.Value, [.. constant.Value.Type.Strides().Select(s => s.Value)]);
        }
        if (node is not { Op: BroadcastInDimOp op, Operands: [{ Op: ConstantOp { Value: var source } }] } || !node.Shape.IsStatic)
        {
            return null;
        }
        var strides = new long[node.Rank];
        Dim[] inner = source.Type.Strides();
        for (int i = 0; i < inner.Length; i++)
        {
            strides[op.BroadcastDimensions[i]] = source.Shape[i] == 1 ? 0 : inner[i].Value;
        }
        return new StridedConstant(source, strides);
    }
}
