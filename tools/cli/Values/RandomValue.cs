using System.Buffers.Binary;

namespace Graphene.Cli.Values;

/// <summary>Random inputs for models whose real ones are not at hand: the same for the same seed, on every machine.</summary>
/// <remarks>
/// Floats are uniform in [-1, 1); integers in 0..9, so that they are small enough to be positions or tokens of nearly any
/// model; bools are fair. Each element comes from its own position, through SplitMix64 (Steele, Lea and Flood, 2014).
/// </remarks>
internal static class RandomValue
{
    /// <summary>A value of a static type.</summary>
    /// <param name="type">Element type and static shape.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="input">Which input it is, so that two of one type differ.</param>
    public static Literal Generate(TensorType type, long seed, int input)
    {
        ulong stream = Mix((ulong)seed ^ Mix((ulong)input + 1));
        long count = type.Shape.ElementCount.Value;
        if (type.DType == DType.F32)
        {
            return Floats(type, stream, checked((int)count));
        }
        var writer = new LiteralWriter(type);
        for (long i = 0; i < count; i++)
        {
            writer.Append(Element(type.DType, Mix(stream + (ulong)i)));
        }
        return writer.ToLiteral();
    }

    // What most inputs are, without an object for each element.
    private static Literal Floats(TensorType type, ulong stream, int count)
    {
        byte[] bytes = new byte[count * sizeof(float)];
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), (float)Uniform(Mix(stream + (ulong)i)));
        }
        return new Literal(type, bytes);
    }

    private static double Uniform(ulong random) => ((random >> 40) * (2.0 / (1 << 24))) - 1;

    private static Scalar Element(DType type, ulong random) => type switch
    {
        DType.Bool => Scalar.FromBool((random >> 63) != 0),
        _ when type.IsFloating() => Scalar.FromDouble(type, Uniform(random)),
        _ => Scalar.FromInteger(type, (random >> 32) % 10),
    };

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
