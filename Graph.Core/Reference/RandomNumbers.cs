namespace Graphene;

/// <summary>Random numbers on the host, one after another: the words of Philox4x32-10 in the order of its counter.</summary>
/// <remarks>
/// Equal keys give equal numbers on every machine. The words are those of <see cref="RngBitGeneratorOp"/> for 32-bit types with
/// the same key and the counter 0.
/// </remarks>
public sealed class RandomNumbers
{
    private readonly ulong _key;
    private ulong _counter;
    private uint[] _block = [];
    private int _next = 4;
    private double? _spare;

    /// <summary>A stream before its first number.</summary>
    /// <param name="key">Another key gives other numbers.</param>
    public RandomNumbers(ulong key) => _key = key;

    /// <summary>The key of a named part of something that has a seed: the same for the same seed and name only.</summary>
    /// <remarks>FNV-1a over the name's UTF-16 units, then the finalizer of SplitMix64 over hash and seed.</remarks>
    public static ulong KeyOf(long seed, string name)
    {
        unchecked
        {
            ulong hash = 0xCBF29CE484222325;
            foreach (char unit in name)
            {
                hash = (hash ^ unit) * 0x100000001B3;
            }
            ulong x = hash + ((ulong)seed * 0x9E3779B97F4A7C15);
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            return x ^ (x >> 31);
        }
    }

    /// <summary>32 random bits.</summary>
    public uint NextWord()
    {
        if (_next == 4)
        {
            _block = Philox.Block(_key, _counter++);
            _next = 0;
        }
        return _block[_next++];
    }

    /// <summary>A number from 0 up to but not including 1, a multiple of 2^-53.</summary>
    public double NextUniform()
    {
        ulong low = NextWord();
        ulong high = NextWord();
        return (((high << 32) | low) >> 11) * Math.ScaleB(1, -53);
    }

    /// <summary>A number of the normal distribution with mean 0 and deviation 1 (Box and Muller, 1958).</summary>
    public double NextNormal()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextUniform())); // 1 - u is never 0
        (double sine, double cosine) = Math.SinCos(2 * Math.PI * NextUniform());
        _spare = radius * sine;
        return radius * cosine;
    }
}
