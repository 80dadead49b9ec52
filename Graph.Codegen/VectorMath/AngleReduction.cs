namespace Graphene.Codegen;

/// <summary>Reduces angles of any size modulo a quarter turn.</summary>
/// <remarks>
/// Payne and Hanek: x = m 2^e with an integer m. Of the digits of 2/pi, those before a place that e tells give whole turns, and
/// those far behind it too little to matter; the product of m with the window between them is x * 2/pi modulo 4 in fixed point.
/// </remarks>
internal static class AngleReduction
{
    // 2/pi after the binary point.
    private static readonly ulong[] TwoOverPi =
    [
        0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561, 0xB7246E3A424DD2E0,
        0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41, 0x3991D639835339F4,
        0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D,
        0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB, 0xF0CFBC209AF4361D,
    ];

    /// <summary>For an f32 from 2^17 on: the quarter as i32, of which two bits count, and the rest, as f32.</summary>
    public static (KNum Quadrant, KNum Remainder) Reduce32(KNum magnitude)
    {
        KNum bits = magnitude.As(DType.U32).To(DType.U64);
        KNum m = (bits & 0x7FFFFF) | 0x800000;

        // 2^17 has the exponent field 144. Product bit 62 weighs one quarter, so that its window ends 56 digits into 2/pi.
        KNum offset = (bits >>> 23) - bits.Constant(144L);
        KNum[] words = Window(offset, firstDigit: -8, choices: 2, count: 3);
        KNum high = words[0] * m;
        KNum low = ((words[1] >>> 32) * m) >>> 32;
        KNum product = high + low;

        KNum quadrant = (product + product.Constant(1L << 61)) >>> 62;
        KNum fraction = (product - (quadrant << 62)).As(DType.I64).To(DType.F64);
        KNum rest = (fraction * (Math.PI / 2 * Math.ScaleB(1, -62))).To(DType.F32);
        return (quadrant.To(DType.I32), rest);
    }

    /// <summary>For an f64 from 2^20 on: the quarter as i64, of which two bits count, and the rest, as f64.</summary>
    public static (KNum Quadrant, KNum Remainder) Reduce64(KNum magnitude)
    {
        KNum bits = magnitude.As(DType.U64);
        KNum m = (bits & ((1L << 52) - 1)) | (1L << 52);

        // 2^20 has the exponent field 1043; it is m 2^-32. Bit 126 of the product weighs one quarter.
        KNum offset = (bits >>> 52) - bits.Constant(1043L);
        KNum[] words = Window(offset, firstDigit: -34, choices: 16, count: 4);
        KNum low = words[1] * m;
        KNum carried = low + HighProduct(words[2], m);
        KNum carry = KNum.Select(carried < low, carried.Constant(1L), carried.Constant(0L));
        KNum high = (words[0] * m) + HighProduct(words[1], m) + carry;

        KNum quadrant = (high + high.Constant(1L << 61)) >>> 62;
        KNum fractionHigh = (high - (quadrant << 62)).As(DType.I64).To(DType.F64);
        KNum fractionLow = carried.To(DType.F64);
        KNum fraction = KNum.Fma(fractionLow, Math.ScaleB(1, -64), fractionHigh);
        KNum rest = fraction * (Math.PI / 2 * Math.ScaleB(1, -62));
        return (quadrant.As(DType.I64), rest);
    }

    // Words of 2/pi from its digit firstDigit + offset on. Offsets count from 0 to 64 * choices - 1.
    private static KNum[] Window(KNum offset, int firstDigit, int choices, int count)
    {
        KNum[] words = [.. Enumerable.Range(0, choices + count - 1).Select(i => offset.Constant((long)Digits(firstDigit + (64 * i))))];
        for (int step = choices / 2; step > 0; step /= 2)
        {
            KNum isSet = ((offset >>> 6) & step).IsNotEqual(offset.Constant(0L));
            words = [.. Enumerable.Range(0, words.Length - step).Select(i => KNum.Select(isSet, words[i + step], words[i]))];
        }
        KNum left = offset & 63;
        KNum right = left.Constant(64L) - left;
        return [.. Enumerable.Range(0, count - 1).Select(i => words[i].ShiftLeft(left) | words[i + 1].ShiftRight(right))];
    }

    // 64 digits of 2/pi; digit 0 is the first after the point, and before it are zeros.
    private static ulong Digits(int first)
    {
        int word = (int)Math.Floor(first / 64.0);
        int shift = first - (64 * word);
        ulong high = Word(word) << shift;
        return shift == 0 ? high : high | (Word(word + 1) >> (64 - shift));

        static ulong Word(int i) => i >= 0 && i < TwoOverPi.Length ? TwoOverPi[i] : 0;
    }

    // The upper 64 bits of a product.
    private static KNum HighProduct(KNum word, KNum m)
    {
        KNum a1 = word >>> 32;
        KNum a0 = word & 0xFFFFFFFF;
        KNum b1 = m >>> 32;
        KNum b0 = m & 0xFFFFFFFF;
        KNum middle = (a1 * b0) + ((a0 * b0) >>> 32);
        KNum other = (a0 * b1) + (middle & 0xFFFFFFFF);
        return (a1 * b1) + (middle >>> 32) + (other >>> 32);
    }
}
