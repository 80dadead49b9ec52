using System.Numerics;
using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>An instruction with one argument.</summary>
internal sealed class UnaryStep<T, TOperation>(SimtSlot result, SimtSlot argument) : ElementwiseStep(result)
    where T : unmanaged
    where TOperation : struct, IUnaryOperation<T>
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<T> r = block.Values<T>(Result, start, count);
        ReadOnlySpan<T> a = block.Values<T>(argument, start, count);
        for (int i = 0; i < r.Length && i < a.Length; i++)
        {
            r[i] = TOperation.Of(a[i]);
        }
    }
}

/// <summary>An instruction with two arguments.</summary>
internal sealed class BinaryStep<T, TOperation>(SimtSlot result, SimtSlot left, SimtSlot right) : ElementwiseStep(result)
    where T : unmanaged
    where TOperation : struct, IBinaryOperation<T>
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<T> results = block.Values<T>(Result, start, count);
        ref T r = ref MemoryMarshal.GetReference(results);
        ref T a = ref MemoryMarshal.GetReference(block.Values<T>(left, start, count));
        ref T b = ref MemoryMarshal.GetReference(block.Values<T>(right, start, count));
        int i = 0;
        if (TOperation.HasVectors)
        {
            for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
            {
                TOperation.Of(Vector.LoadUnsafe(ref a, (nuint)i), Vector.LoadUnsafe(ref b, (nuint)i)).StoreUnsafe(ref r, (nuint)i);
            }
        }
        ReadOnlySpan<T> lefts = MemoryMarshal.CreateReadOnlySpan(ref a, count);
        ReadOnlySpan<T> rights = MemoryMarshal.CreateReadOnlySpan(ref b, count);
        for (; i < count; i++)
        {
            results[i] = TOperation.Of(lefts[i], rights[i]);
        }
    }
}

/// <summary>A product plus a third value, rounded once; wrapped for integers.</summary>
internal sealed class MultiplyAddStep<T>(SimtSlot result, SimtSlot left, SimtSlot right, SimtSlot sum) : ElementwiseStep(result)
    where T : unmanaged, INumberBase<T>
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<T> r = block.Values<T>(Result, start, count);
        ReadOnlySpan<T> a = block.Values<T>(left, start, count);
        ReadOnlySpan<T> b = block.Values<T>(right, start, count);
        ReadOnlySpan<T> c = block.Values<T>(sum, start, count);
        int i = 0;
        if (typeof(T) == typeof(float))
        {
            ref float first = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<T, float>(r));
            ref float x = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<T, float>(a));
            ref float y = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<T, float>(b));
            ref float z = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<T, float>(c));
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.FusedMultiplyAdd(
                    Vector.LoadUnsafe(ref x, (nuint)i), Vector.LoadUnsafe(ref y, (nuint)i), Vector.LoadUnsafe(ref z, (nuint)i))
                    .StoreUnsafe(ref first, (nuint)i);
            }
        }
        for (; i < count; i++)
        {
            r[i] = MultiplyAdd(a[i], b[i], c[i]);
        }
    }

    private static T MultiplyAdd(T a, T b, T c) =>
        typeof(T) == typeof(float) ? (T)(object)MathF.FusedMultiplyAdd((float)(object)a, (float)(object)b, (float)(object)c)
        : typeof(T) == typeof(double) ? (T)(object)Math.FusedMultiplyAdd((double)(object)a, (double)(object)b, (double)(object)c)
        : unchecked((a * b) + c);
}

/// <summary>A comparison.</summary>
internal sealed class ComparisonStep<T, TComparison>(SimtSlot result, SimtSlot left, SimtSlot right) : ElementwiseStep(result)
    where T : unmanaged
    where TComparison : struct, IComparison<T>
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<byte> r = block.Values<byte>(Result, start, count);
        ReadOnlySpan<T> a = block.Values<T>(left, start, count);
        ReadOnlySpan<T> b = block.Values<T>(right, start, count);
        for (int i = 0; i < r.Length && i < a.Length && i < b.Length; i++)
        {
            r[i] = TComparison.Of(a[i], b[i]) ? (byte)1 : (byte)0;
        }
    }
}

/// <summary>Any instruction, one element after the other: for what is seldom used.</summary>
internal sealed class AnyArithmeticStep(ScalarOp op, DType type, SimtSlot result, SimtSlot[] arguments) : ElementwiseStep(result)
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<ulong> lane = stackalloc ulong[arguments.Length];
        for (int i = start; i < start + count; i++)
        {
            for (int k = 0; k < lane.Length; k++)
            {
                lane[k] = SimtBits.Read(block, arguments[k], i);
            }
            SimtBits.Write(block, Result, i, LaneArithmetic.Compute(op, type, lane));
        }
    }
}

/// <summary>Elements of values by their bits, whatever their type is.</summary>
internal static class SimtBits
{
    public static ulong Read(SimtBlock block, SimtSlot slot, int element) => slot.Type.Element.SizeInBytes() switch
    {
        1 => block.Values<byte>(slot)[element],
        2 => block.Values<ushort>(slot)[element],
        4 => block.Values<uint>(slot)[element],
        _ => block.Values<ulong>(slot)[element],
    };

    public static void Write(SimtBlock block, SimtSlot slot, int element, ulong bits)
    {
        switch (slot.Type.Element.SizeInBytes())
        {
            case 1: block.Values<byte>(slot)[element] = (byte)bits; break;
            case 2: block.Values<ushort>(slot)[element] = (ushort)bits; break;
            case 4: block.Values<uint>(slot)[element] = (uint)bits; break;
            default: block.Values<ulong>(slot)[element] = bits; break;
        }
    }
}
