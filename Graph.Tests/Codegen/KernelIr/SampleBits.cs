namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Values of every type, the awkward ones often.</summary>
internal static class SampleBits
{
    /// <summary>The ends of a type's range, the numbers around zero, and for floating types what is not a number.</summary>
    public static ulong[] Edges(DType type)
    {
        double[] reals =
        [
            0, -0.0, 0.5, -0.5, 1, -1, 1.5, 2.5, -2.5, 3, 7, 127.5, 128, -128, 255.5, 256, 65519, 65520, 2147483647, 2147483648,
            -2147483649, 4294967296, 9.2233720368547758e18, 1.8446744073709552e19, -9.3e18, 1e-5, 6e-8, 1e-40, 5e-324, 3e38, 1e300,
            double.PositiveInfinity, double.NegativeInfinity, double.NaN,
        ];
        if (type.IsFloating())
        {
            return [.. reals.Select(r => Scalar.FromDouble(type, r).Bits)];
        }
        Int128[] integers =
        [
            0, 1, -1, 2, 3, -3, 7, 8, 16, 31, 32, 33, 63, 64, 100, 255, 256, 65535, 1 << 24, (1 << 24) + 1,
            (1L << 53) + 1,
        ];
        return
        [
            .. integers.Select(i => Scalar.FromInteger(type, i).Bits),
            Scalar.Lowest(type).Bits, Scalar.Highest(type).Bits,
        ];
    }

    public static ulong Next(Random random, DType type)
    {
        ulong[] edges = Edges(type);
        return random.Next(2) == 0 ? edges[random.Next(edges.Length)]
            : type == DType.Bool ? (ulong)random.Next(2)
            : type.IsFloating() && random.Next(2) == 0 ? Scalar.FromDouble(type, (random.NextDouble() * 20) - 10).Bits
            : Scalar.FromBits(
                type,
                (ulong)random.NextInt64(long.MinValue, long.MaxValue)
                    & (ulong.MaxValue >> (64 - type.SizeInBits()))).Bits;
    }

    /// <summary>An array of values as bytes.</summary>
    public static byte[] Array(Random random, DType type, int count) =>
        ToBytes(type, [.. Enumerable.Range(0, count).Select(_ => Next(random, type))]);

    public static byte[] ToBytes(DType type, ulong[] values)
    {
        int size = type.SizeInBytes();
        var bytes = new byte[values.Length * size];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(values[i / size] >> (8 * (i % size)));
        }
        return bytes;
    }

    /// <summary>The first place where two arrays differ, NaNs being alike; -1 when they are the same.</summary>
    public static int FirstDifference(DType type, byte[] a, byte[] b)
    {
        int size = type.SizeInBytes();
        for (int i = 0; i < a.Length / size; i++)
        {
            if (!a.AsSpan(i * size, size).SequenceEqual(b.AsSpan(i * size, size)) && !(IsNaN(type, a, i) && IsNaN(type, b, i)))
            {
                return i;
            }
        }
        return -1;
    }

    private static bool IsNaN(DType type, byte[] bytes, int index) => type.IsFloating() && double.IsNaN(Value(type, bytes, index).AsDouble);

    public static Scalar Value(DType type, byte[] bytes, int index)
    {
        ulong bits = 0;
        for (int i = type.SizeInBytes() - 1; i >= 0; i--)
        {
            bits = (bits << 8) | bytes[(index * type.SizeInBytes()) + i];
        }
        return Scalar.FromBits(type, bits);
    }
}
