namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>Random numbers of every magnitude, and more of the magnitudes that matter.</summary>
internal static class SampleNumbers
{
    public static float Single(Random random) => random.Next(4) == 0
        ? BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32))
        : (float)Usual(random);

    public static double Double(Random random) => random.Next(4) == 0
        ? BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue))
        : Usual(random);

    private static double Usual(Random random)
    {
        double sign = random.Next(4) == 0 ? -1 : 1;
        return sign * random.Next(4) switch
        {
            0 => random.NextDouble() * 8,
            1 => Math.Exp((random.NextDouble() * 20) - 10),
            2 => 1 + ((random.NextDouble() - 0.5) * Math.ScaleB(1, -random.Next(40))),
            _ => random.NextDouble() * Math.ScaleB(1, random.Next(24)),
        };
    }
}
