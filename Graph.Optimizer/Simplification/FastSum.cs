using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Optimizer;

/// <summary>Sums of i32 constants, which make up for the zero points of quantized weights; see <see cref="FastEvaluation"/>.</summary>
internal static class FastSum
{
    /// <summary>True for the sum of a constant of i32 along some dimensions. Integers wrap, so their order does not matter.</summary>
    public static bool Handles(Node node) =>
        node is { Op: ReduceOp { Body: var body }, DType: DType.I32, Operands: [{ Op: ConstantOp }, { Op: ConstantOp }] } &&
        ReductionBody.FunctionOf(body) == ElementwiseTable.Add;

    /// <summary>Adds the elements of the constant to its initial value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Evaluate(ReduceOp op, Literal x, Literal initial, byte[] bytes)
    {
        Span<int> sums = MemoryMarshal.Cast<byte, int>(bytes.AsSpan());
        sums.Fill(initial.As<int>()[0]);
        if (x.ElementCount == 0)
        {
            return;
        }
        long[] extents = x.Shape.ToStatic();
        long[] strides = StridesInResult(extents, op.Dimensions);
        int row = extents.Length == 0 ? 1 : (int)extents[^1];
        bool isAlong = strides.Length > 0 && strides[^1] == 0;
        using LiteralPart part = x.Part();
        ReadOnlySpan<int> elements = part.As<int>();
        for (int begin = 0; begin < elements.Length; begin += row)
        {
            ReadOnlySpan<int> from = elements.Slice(begin, row);
            Span<int> to = sums.Slice(FastArithmetic.PlaceOfRow(begin / row, extents, strides), isAlong ? 1 : row);
            for (int i = 0; i < from.Length; i++)
            {
                to[isAlong ? 0 : i] += from[i];
            }
        }
    }

    // Elements of the result from one index of each dimension to the next; none along those that vanish.
    private static long[] StridesInResult(long[] extents, Axes dimensions)
    {
        var strides = new long[extents.Length];
        long stride = 1;
        for (int i = extents.Length - 1; i >= 0; i--)
        {
            if (!dimensions.Contains(i))
            {
                strides[i] = stride;
                stride *= extents[i];
            }
        }
        return strides;
    }
}
