using System.Numerics;

namespace Graphene.Codegen;

/// <summary>The step of each conversion by value, as <see cref="LaneConversion"/> defines them.</summary>
internal static class SimtConversion
{
    /// <summary>The step that converts a value.</summary>
    public static SimtStep Step(SimtSlot result, SimtSlot value) => (value.Type.Element, result.Type.Element) switch
    {
        (DType.F32, DType.F64) => new ConvertStep<float, double, FloatToFloat<float, double>>(result, value),
        (DType.F64, DType.F32) => new ConvertStep<double, float, FloatToFloat<double, float>>(result, value),
        (DType.F32, DType.F16) => new ConvertStep<float, Half, SingleToHalf>(result, value),
        (DType.F16, DType.F32) => new ConvertStep<Half, float, HalfToSingle>(result, value),
        (DType.F32, DType.BF16) => new ConvertStep<float, BFloat16, SingleToBrain>(result, value),
        (DType.BF16, DType.F32) => new ConvertStep<BFloat16, float, BrainToSingle>(result, value),
        (DType.I64, DType.F32) => new ConvertStep<long, float, IntegerToFloat<long, float>>(result, value),
        (DType.I32, DType.F32) => new ConvertStep<int, float, IntegerToFloat<int, float>>(result, value),
        (DType.U32, DType.F32) => new ConvertStep<uint, float, IntegerToFloat<uint, float>>(result, value),
        (DType.U8, DType.F32) => new ConvertStep<byte, float, IntegerToFloat<byte, float>>(result, value),
        (DType.I8, DType.F32) => new ConvertStep<sbyte, float, IntegerToFloat<sbyte, float>>(result, value),
        (DType.Bool, DType.F32) => new ConvertStep<byte, float, IntegerToFloat<byte, float>>(result, value),
        (DType.I64, DType.I32) => new ConvertStep<long, int, IntegerToInteger<long, int>>(result, value),
        (DType.I32, DType.I64) => new ConvertStep<int, long, IntegerToInteger<int, long>>(result, value),
        (DType.U32, DType.U64) => new ConvertStep<uint, ulong, IntegerToInteger<uint, ulong>>(result, value),
        (DType.U64, DType.U32) => new ConvertStep<ulong, uint, IntegerToInteger<ulong, uint>>(result, value),
        (DType.I64, DType.U32) => new ConvertStep<long, uint, IntegerToInteger<long, uint>>(result, value),
        (DType.U32, DType.I64) => new ConvertStep<uint, long, IntegerToInteger<uint, long>>(result, value),
        (DType.U8, DType.I32) => new ConvertStep<byte, int, IntegerToInteger<byte, int>>(result, value),
        (DType.I8, DType.I32) => new ConvertStep<sbyte, int, IntegerToInteger<sbyte, int>>(result, value),
        (DType.Bool, DType.I32) => new ConvertStep<byte, int, IntegerToInteger<byte, int>>(result, value),
        (DType.Bool, DType.I64) => new ConvertStep<byte, long, IntegerToInteger<byte, long>>(result, value),
        (DType.F32, DType.I32) => new ConvertStep<float, int, FloatToInteger<float, int>>(result, value),
        (DType.F32, DType.I64) => new ConvertStep<float, long, FloatToInteger<float, long>>(result, value),
        (DType.F32, DType.I8) => new ConvertStep<float, sbyte, FloatToInteger<float, sbyte>>(result, value),
        (DType.F32, DType.U8) => new ConvertStep<float, byte, FloatToInteger<float, byte>>(result, value),
        _ => new AnyConversionStep(result, value),
    };
}

/// <summary>A conversion of an element.</summary>
internal interface IConversion<TFrom, TTo>
{
    /// <summary>The converted element.</summary>
    static abstract TTo Of(TFrom value);
}

internal readonly struct FloatToFloat<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : IFloatingPoint<TFrom>
    where TTo : IFloatingPoint<TTo>
{
    public static TTo Of(TFrom value) => TTo.CreateTruncating(value);
}

internal readonly struct SingleToHalf : IConversion<float, Half>
{
    public static Half Of(float value) => (Half)value;
}

internal readonly struct HalfToSingle : IConversion<Half, float>
{
    public static float Of(Half value) => (float)value;
}

internal readonly struct SingleToBrain : IConversion<float, BFloat16>
{
    public static BFloat16 Of(float value) => (BFloat16)value;
}

internal readonly struct BrainToSingle : IConversion<BFloat16, float>
{
    public static float Of(BFloat16 value) => value;
}

internal readonly struct IntegerToFloat<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : IBinaryInteger<TFrom>
    where TTo : IFloatingPoint<TTo>
{
    public static TTo Of(TFrom value) => TTo.CreateTruncating(value);
}

internal readonly struct IntegerToInteger<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : IBinaryInteger<TFrom>
    where TTo : IBinaryInteger<TTo>
{
    public static TTo Of(TFrom value) => TTo.CreateTruncating(value);
}

/// <summary>Truncates; the nearest integer there is for what does not fit, and 0 for NaN.</summary>
internal readonly struct FloatToInteger<TFrom, TTo> : IConversion<TFrom, TTo>
    where TFrom : IFloatingPoint<TFrom>
    where TTo : IBinaryInteger<TTo>
{
    public static TTo Of(TFrom value) => TFrom.IsNaN(value) ? TTo.Zero : TTo.CreateSaturating(value);
}

/// <summary>A conversion of a value.</summary>
internal sealed class ConvertStep<TFrom, TTo, TConversion>(SimtSlot result, SimtSlot value) : ElementwiseStep(result)
    where TFrom : unmanaged
    where TTo : unmanaged
    where TConversion : struct, IConversion<TFrom, TTo>
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<TTo> r = block.Values<TTo>(Result, start, count);
        ReadOnlySpan<TFrom> x = block.Values<TFrom>(value, start, count);
        for (int i = 0; i < r.Length && i < x.Length; i++)
        {
            r[i] = TConversion.Of(x[i]);
        }
    }
}

/// <summary>Any conversion, one element after the other.</summary>
internal sealed class AnyConversionStep(SimtSlot result, SimtSlot value) : ElementwiseStep(result)
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        (DType from, DType to) = (value.Type.Element, Result.Type.Element);
        for (int i = start; i < start + count; i++)
        {
            SimtBits.Write(block, Result, i, LaneConversion.Convert(from, to, SimtBits.Read(block, value, i)));
        }
    }
}
