using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Optimizer;

/// <summary>
/// Conversions that weights go through: halves to f32, and between integers and to f32 for quantized ones; see
/// <see cref="FastEvaluation"/>.
/// </summary>
internal static class FastConversion
{
    /// <summary>What converts a literal into bytes; null for none.</summary>
    /// <remarks>Integers that do not fit wrap, and i32 is rounded once on its way to f32, as in the reference.</remarks>
    public static Action<Literal, byte[]>? Function(DType from, DType to) => (from, to) switch
    {
        (DType.F16, DType.F32) => Apply<Half, float>,
        (DType.BF16, DType.F32) => WidenBrains,
        (DType.I8, DType.F32) => Apply<sbyte, float>,
        (DType.U8, DType.F32) => Apply<byte, float>,
        (DType.I32, DType.F32) => Apply<int, float>,
        (DType.I8, DType.I32) => Apply<sbyte, int>,
        (DType.U8, DType.I32) => Apply<byte, int>,
        (DType.I32, DType.I8) => Apply<int, sbyte>,
        (DType.I32, DType.U8) => Apply<int, byte>,
        _ => null,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TFrom, TTo>(Literal x, byte[] bytes)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo>
    {
        using LiteralPart part = x.Part();
        ReadOnlySpan<TFrom> from = part.As<TFrom>();
        Span<TTo> to = MemoryMarshal.Cast<byte, TTo>(bytes.AsSpan());
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = TTo.CreateTruncating(from[i]);
        }
    }

    private static void WidenBrains(Literal x, byte[] bytes)
    {
        using LiteralPart part = x.Part();
        ReadOnlySpan<BFloat16> brains = part.As<BFloat16>();
        Span<float> to = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = brains[i];
        }
    }
}
