using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Optimizer;

/// <summary>
/// Arithmetic of large constants of f32 and i32, also broadcast ones, in vectors and on all threads; see
/// <see cref="FastEvaluation"/>.
/// </summary>
internal static class FastArithmetic
{
    private const int ElementsPerTask = 1 << 16;

    /// <summary>What computes a function of two constants into bytes; null for none.</summary>
    /// <remarks>
    /// In single precision each of these rounds the exact result, as the reference does in double and then once more. Integers wrap; what
    /// they give when divided by zero is left to the reference.
    /// </remarks>
    public static Action<Node, byte[]>? Function(ElementwiseFn fn, DType type) => (fn.Name, type) switch
    {
        ("add", DType.F32) => Apply<float, AddOperator<float>>,
        ("subtract", DType.F32) => Apply<float, SubtractOperator<float>>,
        ("multiply", DType.F32) => Apply<float, MultiplyOperator<float>>,
        ("divide", DType.F32) => Apply<float, DivideOperator>,
        ("add", DType.I32) => Apply<int, AddOperator<int>>,
        ("subtract", DType.I32) => Apply<int, SubtractOperator<int>>,
        ("multiply", DType.I32) => Apply<int, MultiplyOperator<int>>,
        _ => null,
    };

    private static void Apply<TElement, T>(Node node, byte[] bytes)
        where TElement : unmanaged
        where T : struct, IBinary<TElement>
    {
        StridedConstant x = StridedConstant.TryView(node.Operands[0])!;
        StridedConstant y = StridedConstant.TryView(node.Operands[1])!;
        (long[] extents, long[] left, long[] right) = Merge(node.Shape.ToStatic(), x.Strides, y.Strides);
        int row = (int)extents[^1];
        if (bytes.Length == 0)
        {
            return;
        }
        int rows = bytes.Length / Unsafe.SizeOf<TElement>() / row;
        int rowsPerTask = Math.Max(1, ElementsPerTask / row);
        using LiteralPart xPart = x.Source.Part();
        using LiteralPart yPart = y.Source.Part();
        Parallel.For(0, (rows + rowsPerTask - 1) / rowsPerTask, task =>
        {
            ReadOnlySpan<TElement> from = xPart.As<TElement>();
            ReadOnlySpan<TElement> by = yPart.As<TElement>();
            Span<TElement> result = MemoryMarshal.Cast<byte, TElement>(bytes.AsSpan());
            for (int r = task * rowsPerTask; r < Math.Min(rows, (task + 1) * rowsPerTask); r++)
            {
                ApplyRow<TElement, T>(
                    from[PlaceOfRow(r, extents, left)..], (int)left[^1], by[PlaceOfRow(r, extents, right)..], (int)right[^1],
                    result.Slice(r * row, row));
            }
        });
    }

    // Code with vectors of the machine's width is not compiled ahead of time, and there is no time to find out that
    // this is worth optimizing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow<TElement, T>(ReadOnlySpan<TElement> x, int xStep, ReadOnlySpan<TElement> y, int yStep, Span<TElement> result)
        where TElement : unmanaged
        where T : struct, IBinary<TElement>
    {
        int k = 0;
        if (xStep is 0 or 1 && yStep is 0 or 1)
        {
            for (; k <= result.Length - Vector<TElement>.Count; k += Vector<TElement>.Count)
            {
                Vector<TElement> left = xStep == 0 ? new Vector<TElement>(x[0]) : new Vector<TElement>(x[k..]);
                Vector<TElement> right = yStep == 0 ? new Vector<TElement>(y[0]) : new Vector<TElement>(y[k..]);
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

    /// <summary>Where a row begins: rows are counted over all dimensions but the last.</summary>
    public static int PlaceOfRow(long row, long[] extents, long[] strides)
    {
        long place = 0;
        for (int i = extents.Length - 2; i >= 0; i--)
        {
            place += row % extents[i] * strides[i];
            row /= extents[i];
        }
        return (int)place;
    }

    private interface IBinary<T>
    {
        static abstract T Invoke(T x, T y);

        static abstract Vector<T> Invoke(Vector<T> x, Vector<T> y);
    }

    private readonly struct AddOperator<T> : IBinary<T>
        where T : IAdditionOperators<T, T, T>
    {
        public static T Invoke(T x, T y) => unchecked(x + y);

        public static Vector<T> Invoke(Vector<T> x, Vector<T> y) => x + y;
    }

    private readonly struct SubtractOperator<T> : IBinary<T>
        where T : ISubtractionOperators<T, T, T>
    {
        public static T Invoke(T x, T y) => unchecked(x - y);

        public static Vector<T> Invoke(Vector<T> x, Vector<T> y) => x - y;
    }

    private readonly struct MultiplyOperator<T> : IBinary<T>
        where T : IMultiplyOperators<T, T, T>
    {
        public static T Invoke(T x, T y) => unchecked(x * y);

        public static Vector<T> Invoke(Vector<T> x, Vector<T> y) => x * y;
    }

    private readonly struct DivideOperator : IBinary<float>
    {
        public static float Invoke(float x, float y) => x / y;

        public static Vector<float> Invoke(Vector<float> x, Vector<float> y) => x / y;
    }
}
