using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Optimizer;

/// <summary>
/// Arithmetic of large f32 constants, also broadcast ones, in vectors and on all threads; see
/// <see cref="FastEvaluation"/>.
/// </summary>
internal static class FastArithmetic
{
    private const int ElementsPerTask = 1 << 16;

    /// <summary>What computes a function of two constants into bytes; null for none.</summary>
    /// <remarks>In single precision each of these rounds the exact result, as the reference does in double and then once more.</remarks>
    public static Action<Node, byte[]>? Function(ElementwiseFn fn) => fn.Name switch
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

    // Code with vectors of the machine's width is not compiled ahead of time, and there is no time to find out that
    // this is worth optimizing.
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
}
